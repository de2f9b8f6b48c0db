// The app's identity and its roles. Each role is limited to one resource, with the reason for it.
param location string
param tags object
param identityName string
param hostStorageName string
param documentsName string
param readName string
param insightsName string

@description('Object id of the person who deploys. Empty: no roles for a person.')
param principalId string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var ids = {
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
  cognitiveServicesUser: 'a97b65f3-24c7-4388-baec-2e87135dc908' // Cognitive Services User
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb' // Monitoring Metrics Publisher
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: identityName
  location: location
  tags: tags
}

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostStorageName
}

resource documents 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: documentsName
}

resource read 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: readName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// On the host's storage: what Microsoft documents for AzureWebJobsStorage. (Storage Account Contributor, which the same
// page lists for blob triggers, lets the scanning trigger switch storage logs on. Event Grid needs no logs, and
// Microsoft's own Event Grid sample leaves the role out.)
var hostRoles = [
  ids.blobDataOwner // package, locks, keys, the timers' state
  ids.queueDataContributor // the blob trigger's own queue
  ids.tableDataContributor // diagnostic events
]

// On the documents.
var documentsRoles = [
  ids.blobDataOwner // what Microsoft documents for the blob trigger; the app reads, writes and deletes, creates a missing container, and gets the key that signs links
  ids.queueDataContributor // the queue trigger; the app sends, drains the poison queue, creates a missing queue
  ids.tableDataContributor // rows and lines; creates a missing table
]

// For the person who deploys, so that `dev.py status`, `list`, `again` … --storage work.
var personRoles = [
  ids.blobDataContributor
  ids.queueDataContributor
  ids.tableDataContributor
]

resource onHostStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in hostRoles: {
    scope: hostStorage
    name: guid(hostStorage.id, identity.id, role)
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource onDocuments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in documentsRoles: {
    scope: documents
    name: guid(documents.id, identity.id, role)
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

// Submits, polls and checks. (The role may also list keys, but the resource has none: disableLocalAuth.)
resource onRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: read
  name: guid(read.id, identity.id, ids.cognitiveServicesUser)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', ids.cognitiveServicesUser)
  }
}

// Sends telemetry without a key.
resource onInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identity.id, ids.monitoringMetricsPublisher)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', ids.monitoringMetricsPublisher)
  }
}

// No principalType: the deployer may be a person, a group or a workflow's service principal.
resource person 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in personRoles: if (!empty(principalId)) {
    scope: documents
    name: guid(documents.id, principalId, role)
    properties: {
      principalId: principalId
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]
