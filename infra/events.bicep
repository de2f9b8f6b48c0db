// The documents account's events. subscription.bicep says who receives them; it is deployed once the app runs.
param location string
param tags object
param topicName string
param documentsName string
param deadLetterContainer string

var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor

resource documents 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: documentsName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource deadLetters 'containers' existing = {
      name: deadLetterContainer
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: topicName
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: documents.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

// Event Grid writes dead letters with the topic's identity: the account takes no keys.
resource writesDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: documents::blobs::deadLetters
  name: guid(documents::blobs::deadLetters.id, topic.id, blobDataContributor)
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}
