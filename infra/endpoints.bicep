// Private endpoints of storage and Read, and the names by which the app finds them.
param location string
param tags object
param networkId string
param subnetId string
param hostStorageName string
param documentsName string
param readName string

var zoneNames = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.queue.${environment().suffixes.storage}'
  'privatelink.table.${environment().suffixes.storage}'
  'privatelink.cognitiveservices.azure.com'
]

var storageType = 'Microsoft.Storage/storageAccounts'
var readType = 'Microsoft.CognitiveServices/accounts'

// zone: index into zoneNames.
var endpoints = [
  { name: 'host-blob', type: storageType, target: hostStorageName, group: 'blob', zone: 0 }
  { name: 'host-queue', type: storageType, target: hostStorageName, group: 'queue', zone: 1 }
  { name: 'host-table', type: storageType, target: hostStorageName, group: 'table', zone: 2 }
  { name: 'documents-blob', type: storageType, target: documentsName, group: 'blob', zone: 0 }
  { name: 'documents-queue', type: storageType, target: documentsName, group: 'queue', zone: 1 }
  { name: 'documents-table', type: storageType, target: documentsName, group: 'table', zone: 2 }
  { name: 'read', type: readType, target: readName, group: 'account', zone: 3 }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zoneNames: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in zoneNames: {
    parent: zones[index]
    name: 'app'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2025-01-01' = [
  for endpoint in endpoints: {
    name: 'pe-${endpoint.name}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: endpoint.name
          properties: { privateLinkServiceId: resourceId(endpoint.type, endpoint.target), groupIds: [endpoint.group] }
        }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-01-01' = [
  for (endpoint, index) in endpoints: {
    parent: privateEndpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: endpoint.group
          properties: { privateDnsZoneId: zones[endpoint.zone].id }
        }
      ]
    }
  }
]
