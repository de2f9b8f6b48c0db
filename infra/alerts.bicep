// Alerts for the operator. docs/operations.md says what each means and what to do.
param location string
param tags object
param insightsName string
param workspaceName string
param topicName string

@description('Address to mail. Empty: alerts are shown in the portal only.')
param email string

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

// An alert fires when its query has rows (`fires: 'rows'`), or has none (`fires: 'none'`).
var queries = [
  {
    name: 'documents-failed'
    text: 'Documents ended as failed.'
    severity: 2
    scope: insights.id
    query: loadTextContent('queries/alert-failed.kql')
    window: 'PT15M'
    fires: 'rows'
  }
  {
    name: 'documents-overdue'
    text: 'A document has been waiting for its next step for more than half an hour.'
    severity: 2
    scope: insights.id
    query: loadTextContent('queries/alert-overdue.kql')
    window: 'PT15M'
    fires: 'rows'
  }
  {
    name: 'read-throttled'
    text: 'Read refused more than 5 % of the calls.'
    severity: 3
    scope: insights.id
    query: loadTextContent('queries/alert-throttled.kql')
    window: 'PT15M'
    fires: 'rows'
  }
  {
    name: 'messages-unreadable'
    text: 'Messages that the app did not write were put aside.'
    severity: 3
    scope: insights.id
    query: loadTextContent('queries/alert-unreadable.kql')
    window: 'PT15M'
    fires: 'rows'
  }
  {
    name: 'app-silent'
    text: 'recover_stalled, which runs every five minutes, has not succeeded for half an hour: the app does not work.'
    severity: 1
    scope: insights.id
    query: loadTextContent('queries/alert-silent.kql')
    window: 'PT30M'
    fires: 'none'
  }
  {
    name: 'logs-cut'
    text: 'The daily limit of logs is reached: nothing more is logged today, and the other alerts see no data.'
    severity: 2
    scope: workspace.id
    query: loadTextContent('queries/alert-logs-cut.kql')
    window: 'PT15M'
    fires: 'rows'
  }
]

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'blob-ocr'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'blob-ocr'
    enabled: true
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource onLogs 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in queries: {
    name: alert.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'blob-ocr: ${alert.name}'
      description: alert.text
      severity: alert.severity
      enabled: true
      scopes: [alert.scope]
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: 'Count'
            operator: alert.fires == 'rows' ? 'GreaterThan' : 'LessThan'
            threshold: alert.fires == 'rows' ? 0 : 1
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: empty(email) ? [] : [mail.id] }
    }
  }
]

resource onEvents 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for metric in ['DeadLetteredCount', 'DroppedEventCount']: {
    name: metric == 'DeadLetteredCount' ? 'events-dead-lettered' : 'events-dropped'
    location: 'global'
    tags: tags
    properties: {
      description: 'Event Grid gave up on events. find_missed reads the files at night.'
      severity: 2
      enabled: true
      scopes: [topic.id]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: metric
            metricNamespace: 'Microsoft.EventGrid/systemTopics'
            metricName: metric
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      actions: empty(email) ? [] : [{ actionGroupId: mail.id }]
    }
  }
]
