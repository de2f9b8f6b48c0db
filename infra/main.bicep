// blob-ocr in Azure: one resource group with everything that the app needs, without keys.
// `azd up` deploys this, then the app, then infra/subscription.bicep (by infra/hooks/postdeploy).
targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the azd environment; names of resources are derived from it.')
param environmentName string

@minLength(1)
@description('Azure region. It must offer Flex Consumption (az functionapp list-flexconsumption-locations) and Read.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Object id of the person who deploys and may then use `dev.py --storage` on the documents. Empty: nobody.')
param principalId string = ''

@allowed(['FormRecognizer', 'ComputerVision'])
@description('The service that reads: Document Intelligence, or Computer Vision.')
param readKind string = 'FormRecognizer'

@allowed(['', 'F0', 'S0', 'S1'])
@description('Its tier. Empty: the paid one (S0 for Document Intelligence, S1 for Computer Vision). F0 is free, and slow.')
param readSku string = ''

@description('READ_API_VERSION. Empty: 2024-11-30 for Document Intelligence, v3.2 for Computer Vision.')
param readApiVersion string = ''

@description('READ_RATE. Empty: the quota of the tier. Set it if Microsoft has raised the quota of the resource.')
param readRate string = ''

@description('READ_LANGUAGE. Empty: Read detects the language.')
param readLanguage string = ''

@minLength(3)
@maxLength(63)
@description('Container where files are dropped.')
param inputContainer string = 'inbox'

@description('Folder in it that is read, such as `scans`. Empty: all of it.')
param inputPrefix string = ''

@minLength(3)
@maxLength(63)
@description('Container for text and JSON.')
param outputContainer string = 'results'

@description('READ_FILES_FROM: files last changed before it are left alone. Empty: the time of the first deployment.')
param readFilesFrom string = ''

@description('Also read files that were in the container before the first deployment.')
param readExistingFiles bool = false

@description('Queue that gets a message for each document that has ended. Empty: none.')
param doneQueue string = ''

@minValue(0)
@description('Days after which a file in the input container is deleted. 0: never.')
param retentionDays int = 0

@minValue(0)
@maxValue(20)
@description('Instances of each reading function that are kept warm. 0: a single document waits for cold starts.')
param alwaysReady int = 0

@minValue(1)
@maxValue(1000)
@description('The most instances of each function. Some regions refuse fewer than 40.')
param maximumInstanceCount int = 40

@allowed([512, 2048, 4096])
@description('Memory of an instance, in MB.')
param instanceMemoryMB int = 2048

@description('Close storage and Read to the internet; the app reaches them through a virtual network.')
param vnet bool = false

@description('With vnet: public IPv4 address or CIDR range that may still use the documents account and Read.')
param clientAddress string = ''

@description('Address to which alerts are mailed. Empty: alerts are shown in the portal only.')
param alertEmail string = ''

@minValue(0)
@description('The most gigabytes of logs a day; then logging stops until the next day. 0: no limit.')
param logLimitGB int = 5

@description('Further app settings, by name. docs/settings.md lists them.')
param moreSettings object = {}

@description('When this deployment began. Do not set it.')
param now string = utcNow('yyyy-MM-ddTHH:mm:ssZ')

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))
var names = {
  app: 'func-${token}'
  plan: 'plan-${token}'
  identity: 'id-${token}'
  hostStorage: 'sthost${token}'
  documents: 'stdocs${token}'
  // A resource cannot change its kind, so each kind has a name of its own.
  read: '${readKind == 'ComputerVision' ? 'vision' : 'documents'}-${token}'
  workspace: 'log-${token}'
  insights: 'appi-${token}'
  topic: 'evgt-${token}'
  network: 'vnet-${token}'
}
var packageContainer = 'app-package'
var deadLetterContainer = 'deadletter'
var folder = empty(inputPrefix) ? '' : '${join(filter(split(inputPrefix, '/'), part => !empty(part)), '/')}/'
var computerVision = readKind == 'ComputerVision'
var sku = empty(readSku) ? (computerVision ? 'S1' : 'S0') : readSku
var filesFrom = readExistingFiles ? '' : (empty(readFilesFrom) ? now : readFilesFrom)
// Free tiers answer far fewer calls than READ_RATE's default, which is the paid tier's.
var tierRate = sku == 'F0' ? (computerVision ? '20/min' : '1/s,1/s') : ''
var rate = empty(readRate) ? tierRate : readRate

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module monitor 'monitor.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceName: names.workspace
    insightsName: names.insights
    logLimitGB: logLimitGB
  }
}

module network 'network.bicep' = if (vnet) {
  scope: group
  params: {
    location: location
    tags: tags
    name: names.network
  }
}

module storage 'storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    hostName: names.hostStorage
    documentsName: names.documents
    packageContainer: packageContainer
    deadLetterContainer: deadLetterContainer
    inputContainer: inputContainer
    outputContainer: outputContainer
    doneQueue: doneQueue
    expiringPrefix: '${inputContainer}/${folder}'
    retentionDays: retentionDays
    closed: vnet
    clientAddress: clientAddress
  }
}

module read 'read.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: names.read
    kind: readKind
    sku: sku
    closed: vnet
    clientAddress: clientAddress
  }
}

module endpoints 'endpoints.bicep' = if (vnet) {
  scope: group
  params: {
    location: location
    tags: tags
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointsSubnetId
    hostStorageName: names.hostStorage
    documentsName: names.documents
    readName: names.read
  }
  dependsOn: [storage, read]
}

module roles 'roles.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    identityName: names.identity
    hostStorageName: names.hostStorage
    documentsName: names.documents
    readName: names.read
    insightsName: names.insights
    principalId: principalId
  }
  dependsOn: [storage, read, monitor]
}

module app 'app.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: names.app
    planName: names.plan
    identityName: names.identity
    hostStorageName: names.hostStorage
    packageContainer: packageContainer
    documentsName: names.documents
    insightsName: names.insights
    subnetId: vnet ? network!.outputs.appSubnetId : ''
    alwaysReady: alwaysReady
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    settings: union(
      {
        BLOB_TRIGGER_SOURCE: 'EventGrid' // the only one that Flex Consumption supports
        INPUT_CONTAINER: inputContainer
        OUTPUT_CONTAINER: outputContainer
        READ_ENDPOINT: read.outputs.endpoint
        READ_API_VERSION: empty(readApiVersion) ? (computerVision ? 'v3.2' : '2024-11-30') : readApiVersion
      },
      empty(folder) ? {} : { INPUT_PREFIX: folder },
      empty(rate) ? {} : { READ_RATE: rate },
      empty(readLanguage) ? {} : { READ_LANGUAGE: readLanguage },
      empty(filesFrom) ? {} : { READ_FILES_FROM: filesFrom },
      empty(doneQueue) ? {} : { DONE_QUEUE: doneQueue },
      moreSettings
    )
  }
  // The first start needs the host's storage: the roles on it and, with vnet, its private endpoints.
  dependsOn: [roles, endpoints]
}

module blobs 'blobs.bicep' = {
  scope: group
  params: {
    documentsName: names.documents
    origin: 'https://${app.outputs.hostName}'
  }
}

module events 'events.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    topicName: names.topic
    documentsName: names.documents
    deadLetterContainer: deadLetterContainer
  }
  dependsOn: [storage]
}

module alerts 'alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    insightsName: names.insights
    workspaceName: names.workspace
    topicName: names.topic
    email: alertEmail
  }
  dependsOn: [monitor, events]
}

module workbook 'workbook.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    insightsName: names.insights
  }
  dependsOn: [monitor]
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = names.app
output AZURE_FUNCTION_APP_URL string = 'https://${app.outputs.hostName}'
output APP_INSIGHTS_NAME string = names.insights
output DEAD_LETTER_CONTAINER string = deadLetterContainer
output DOCUMENTS_ACCOUNT string = names.documents
output EVENT_TOPIC_NAME string = names.topic
output INPUT_CONTAINER string = inputContainer
output INPUT_FOLDER string = folder
output OUTPUT_CONTAINER string = outputContainer
output READ_ENDPOINT string = read.outputs.endpoint
// azd keeps outputs in the environment, and main.parameters.json reads this one back, so the time stays the same.
output READ_FILES_FROM string = filesFrom
