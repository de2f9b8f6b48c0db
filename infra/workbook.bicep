// The operator's workbook: outcomes, times, Read's calls, the backlog, instances.
param location string
param tags object
param insightsName string

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

var charts = [
  { title: 'Documents that ended', query: loadTextContent('queries/outcomes.kql'), shown: 'barchart' }
  { title: 'Why documents failed', query: loadTextContent('queries/failures.kql'), shown: 'table' }
  { title: 'Seconds from upload to text', query: loadTextContent('queries/times.kql'), shown: 'timechart' }
  { title: 'Calls of Read, and those it refused', query: loadTextContent('queries/calls.kql'), shown: 'timechart' }
  { title: 'Backlog', query: loadTextContent('queries/backlog.kql'), shown: 'timechart' }
  { title: 'Instances', query: loadTextContent('queries/instances.kql'), shown: 'timechart' }
  { title: 'Warnings and exceptions', query: loadTextContent('queries/trouble.kql'), shown: 'table' }
]

var period = {
  type: 9 // parameters
  name: 'parameters'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    parameters: [
      {
        id: guid('blob-ocr', 'period')
        version: 'KqlParameterItem/1.0'
        name: 'period'
        label: 'Period'
        type: 4 // time range
        isRequired: true
        value: { durationMs: 86400000 }
        typeSettings: {
          selectableValues: map([3600000, 14400000, 86400000, 604800000, 2592000000], span => { durationMs: span })
        }
      }
    ]
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'blob-ocr'
    category: 'workbook'
    sourceId: insights.id
    version: 'Notebook/1.0'
    serializedData: string({
      version: 'Notebook/1.0'
      fallbackResourceIds: [insights.id]
      items: concat(
        [period],
        map(charts, chart => {
          type: 3 // query
          name: chart.title
          content: {
            version: 'KqlItem/1.0'
            title: chart.title
            query: chart.query
            queryType: 0 // logs
            resourceType: 'microsoft.insights/components'
            timeContextFromParameter: 'period'
            visualization: chart.shown
            size: 0
          }
        })
      )
    })
  }
}
