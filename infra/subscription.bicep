// The app's subscription to new files. infra/hooks/postdeploy deploys it once the app runs: only then does the app's key
// for Event Grid exist, and Event Grid asks the app whether it wants the events. The key is read here, so it passes
// through no shell.
param appName string

@description('Resource group of the app. This template goes into the topic\'s group, which may be another one.')
param appGroup string = resourceGroup().name
param topicName string

@description('Name of the subscription: one for each app that reads from the same account.')
param name string = 'submit-document'
param documentsName string
param deadLetterContainer string
param inputContainer string

@description('Folder in it, ending with a slash. Empty: all of it.')
param inputFolder string = ''

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  scope: resourceGroup(appGroup)
  name: appName
}

resource documents 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: documentsName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

var key = listKeys('${app.id}/host/default', '2025-03-01').systemKeys.blobs_extension

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: name
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs?functionName=Host.Functions.submit_document&code=${key}'
        // One event a request: a request whose second event fails would be sent again with the first.
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      // The trigger itself checks neither an event's type nor its container.
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      // Without the slash, inbox-2 would match, too.
      subjectBeginsWith: '/blobServices/default/containers/${inputContainer}/blobs/${inputFolder}'
      isSubjectCaseSensitive: true
      // With a hierarchical namespace, or by SFTP, an upload begins with an empty file; its end is another event.
      advancedFilters: [{ key: 'data.api', operatorType: 'StringNotIn', values: ['CreateFile', 'SftpCreate'] }]
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: documents.id, blobContainerName: deadLetterContainer }
      }
    }
  }
}
