// The function app, on Flex Consumption.
param location string
param tags object
param name string
param planName string
param identityName string
param hostStorageName string
param packageContainer string
param documentsName string
param insightsName string

@description('Subnet for outgoing calls. Empty: none.')
param subnetId string
param alwaysReady int
param maximumInstanceCount int
param instanceMemoryMB int

@description('The app\'s own settings, by name.')
param settings object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostStorageName
}

resource documents 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: documentsName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// Each function has its own group of instances, but all blob triggers share one (`blob`), and so does HTTP (`http`).
var warmGroups = ['blob', 'function:poll_operation']

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: { minTlsVersion: '1.2' }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostStorage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady == 0 ? [] : map(warmGroups, group => { name: group, instanceCount: alwaysReady })
      }
    }
  }

  // The app has only these settings: the next deployment removes what was set by hand.
  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(
      {
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
        APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
        AzureWebJobsStorage__blobServiceUri: hostStorage.properties.primaryEndpoints.blob
        AzureWebJobsStorage__queueServiceUri: hostStorage.properties.primaryEndpoints.queue
        AzureWebJobsStorage__tableServiceUri: hostStorage.properties.primaryEndpoints.table
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__clientId: identity.properties.clientId
        DocumentStorage__blobServiceUri: documents.properties.primaryEndpoints.blob
        DocumentStorage__queueServiceUri: documents.properties.primaryEndpoints.queue
        DocumentStorage__tableServiceUri: documents.properties.primaryEndpoints.table
        DocumentStorage__credential: 'managedidentity'
        DocumentStorage__clientId: identity.properties.clientId
        // A thread for each message and event that host.json lets an instance handle at a time, and some for HTTP. Up
        // to Python 3.12, the default is five.
        PYTHON_THREADPOOL_THREAD_COUNT: '72'
      },
      settings
    )
  }

  // Deployments use Microsoft Entra ID.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output hostName string = app.properties.defaultHostName
