# What postdeploy.sh does, for Windows: see there.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false # exit statuses are checked below

$tries = 10
$pause = 30 # seconds

# Errors go to standard error as they are: Write-Error would add lines of this script to them.
if (-not (Get-Command az -ErrorAction SilentlyContinue)) {
    [Console]::Error.WriteLine('The Azure CLI (az) is missing: https://aka.ms/azure-cli. Install it, then: azd hooks run postdeploy')
    exit 1
}
az account show --subscription $env:AZURE_SUBSCRIPTION_ID --output none
if ($LASTEXITCODE -ne 0) {
    [Console]::Error.WriteLine("The Azure CLI is not signed in to subscription $env:AZURE_SUBSCRIPTION_ID. Run az login, then: azd hooks run postdeploy")
    exit 1
}

for ($try = 1; ; $try++) {
    az deployment group create `
        --subscription $env:AZURE_SUBSCRIPTION_ID `
        --resource-group $env:AZURE_RESOURCE_GROUP `
        --name event-subscription `
        --template-file infra/subscription.bicep `
        --parameters `
        "appName=$env:AZURE_FUNCTION_APP_NAME" `
        "topicName=$env:EVENT_TOPIC_NAME" `
        "documentsName=$env:DOCUMENTS_ACCOUNT" `
        "deadLetterContainer=$env:DEAD_LETTER_CONTAINER" `
        "inputContainer=$env:INPUT_CONTAINER" `
        "inputFolder=$env:INPUT_FOLDER" `
        --only-show-errors `
        --output none
    if ($LASTEXITCODE -eq 0) { break }
    if ($try -ge $tries) {
        [Console]::Error.WriteLine("The app could not be subscribed to the files in $env:INPUT_CONTAINER; the last error is above. The portal shows why the app does not start: Application Insights, Failures. Then: azd hooks run postdeploy")
        exit 1
    }
    Write-Host "Try $try of ${tries}: the app is not ready yet, so the error above is expected. Next try in $pause s."
    Start-Sleep -Seconds $pause
}

# dev.py needs the names in its environment if they are not the defaults.
$settings = ''
if ($env:INPUT_CONTAINER -ne 'inbox') { $settings += "`$env:INPUT_CONTAINER='$env:INPUT_CONTAINER'; " }
if ($env:OUTPUT_CONTAINER -ne 'results') { $settings += "`$env:OUTPUT_CONTAINER='$env:OUTPUT_CONTAINER'; " }

Write-Host @"

blob-ocr is ready. Drop a file:

  az storage blob upload --auth-mode login --account-name $env:DOCUMENTS_ACCOUNT ``
    --container-name $env:INPUT_CONTAINER --name $($env:INPUT_FOLDER)scan.pdf --file scan.pdf

Its text is in the table "documents" of that account and in the container $env:OUTPUT_CONTAINER within a minute:

  ${settings}py dev.py text $($env:INPUT_FOLDER)scan.pdf --storage $env:DOCUMENTS_ACCOUNT

The page: $env:AZURE_FUNCTION_APP_URL/api/
Its key:  az functionapp keys list --resource-group $env:AZURE_RESOURCE_GROUP ``
            --name $env:AZURE_FUNCTION_APP_NAME --query functionKeys.default --output tsv
"@
if ($env:READ_FILES_FROM) {
    Write-Host "Files last changed before $env:READ_FILES_FROM are left alone. To read them: azd env set READ_EXISTING_FILES true, then azd up."
}
