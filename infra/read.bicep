// The Read service, without keys. Microsoft Entra ID needs the custom subdomain.
param location string
param tags object
param name string
param kind string
param sku string
param closed bool
param clientAddress string

resource read 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: kind
  sku: { name: sku }
  properties: {
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: closed && empty(clientAddress) ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: closed ? 'Deny' : 'Allow'
      ipRules: closed && !empty(clientAddress) ? [{ value: clientAddress }] : []
    }
  }
}

output endpoint string = read.properties.endpoint
