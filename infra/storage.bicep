// Two accounts: the Functions host's own (package, locks, keys), and the documents', which people use.
// They are separate so that a burst of documents does not slow the host, and readers of documents see no host keys.
param location string
param tags object
param hostName string
param documentsName string
param packageContainer string
param deadLetterContainer string
param inputContainer string
param outputContainer string
param doneQueue string

@description('Container and folder whose files expire, such as inbox/ or inbox/scans/.')
param expiringPrefix string
param retentionDays int

@description('Whether only the virtual network (and clientAddress) reaches the accounts.')
param closed bool
param clientAddress string

var common = {
  accessTier: 'Hot'
  allowBlobPublicAccess: false
  allowCrossTenantReplication: false
  allowSharedKeyAccess: false
  defaultToOAuthAuthentication: true
  minimumTlsVersion: 'TLS1_2'
  publicNetworkAccess: 'Enabled' // limited by networkAcls
  supportsHttpsTrafficOnly: true
}

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: hostName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    ...common
    networkAcls: {
      defaultAction: closed ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource package 'containers' = {
      name: packageContainer
    }
  }
}

resource documents 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: documentsName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    ...common
    // The blob trigger does not support hierarchical namespaces.
    isHnsEnabled: false
    networkAcls: {
      defaultAction: closed ? 'Deny' : 'Allow'
      bypass: 'AzureServices' // Event Grid writes dead letters with the topic's identity
      ipRules: closed && !empty(clientAddress) ? [{ action: 'Allow', value: clientAddress }] : []
    }
  }

  // Its properties (CORS) are set by blobs.bicep, once the app's address is known.
  resource blobs 'blobServices' existing = {
    name: 'default'

    resource input 'containers' = {
      name: inputContainer
    }

    resource output 'containers' = {
      name: outputContainer
    }

    resource deadLetters 'containers' = {
      name: deadLetterContainer
    }
  }

  // The app creates these if they are missing. Created here, they are visible before the first file is dropped.
  resource queues 'queueServices' = {
    name: 'default'

    resource steps 'queues' = {
      name: 'read-operations'
    }

    resource done 'queues' = if (!empty(doneQueue)) {
      name: empty(doneQueue) ? 'none' : doneQueue
    }
  }

  resource tables 'tableServices' = {
    name: 'default'

    resource rows 'tables' = {
      name: 'documents'
    }

    resource lines 'tables' = {
      name: 'lines'
    }
  }

  // Always deployed, so that retentionDays can be set back to 0.
  resource retention 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'files'
            enabled: retentionDays > 0
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: [expiringPrefix] }
              actions: {
                baseBlob: { delete: { daysAfterModificationGreaterThan: retentionDays > 0 ? retentionDays : 36500 } }
              }
            }
          }
          {
            name: 'deadletters'
            enabled: true
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['${deadLetterContainer}/'] }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }
            }
          }
        ]
      }
    }
  }
}
