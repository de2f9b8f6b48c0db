// The documents account's blob service. The app's page uploads to it and downloads from it, by links for one blob each.
param documentsName string

@description('The app\'s origin, such as https://func-x.azurewebsites.net.')
param origin string

resource documents 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: documentsName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: documents
  name: 'default'
  properties: {
    cors: {
      corsRules: [
        {
          allowedOrigins: [origin]
          allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT']
          allowedHeaders: ['content-type', 'if-match', 'if-none-match', 'range', 'x-ms-*']
          exposedHeaders: ['content-length', 'content-range', 'content-type', 'etag', 'last-modified', 'x-ms-*']
          maxAgeInSeconds: 3600
        }
      ]
    }
    // `forget` promises that a file is gone.
    deleteRetentionPolicy: { enabled: false }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}
