#!/bin/sh
# Subscribes the app to new files, once it runs. azd runs this after each deployment, with the outputs of
# infra/main.bicep in the environment; it is safe to repeat. It needs the Azure CLI, signed in.
set -eu

tries=10
pause=30 # seconds: a first start takes a minute or two, and new roles a few minutes more

if ! command -v az >/dev/null; then
  echo "The Azure CLI (az) is missing: https://aka.ms/azure-cli. Install it, then: azd hooks run postdeploy" >&2
  exit 1
fi
if ! az account show --subscription "$AZURE_SUBSCRIPTION_ID" --output none; then
  echo "The Azure CLI is not signed in to subscription $AZURE_SUBSCRIPTION_ID. Run az login, then: azd hooks run postdeploy" >&2
  exit 1
fi

subscribe() {
  az deployment group create \
    --subscription "$AZURE_SUBSCRIPTION_ID" \
    --resource-group "$AZURE_RESOURCE_GROUP" \
    --name event-subscription \
    --template-file infra/subscription.bicep \
    --parameters \
    "appName=$AZURE_FUNCTION_APP_NAME" \
    "topicName=$EVENT_TOPIC_NAME" \
    "documentsName=$DOCUMENTS_ACCOUNT" \
    "deadLetterContainer=$DEAD_LETTER_CONTAINER" \
    "inputContainer=$INPUT_CONTAINER" \
    "inputFolder=${INPUT_FOLDER:-}" \
    --only-show-errors \
    --output none
}

try=1
until subscribe; do
  if [ "$try" -ge "$tries" ]; then
    echo "The app could not be subscribed to the files in $INPUT_CONTAINER; the last error is above." >&2
    echo "The portal shows why the app does not start: Application Insights, Failures. Then: azd hooks run postdeploy" >&2
    exit 1
  fi
  echo "Try $try of $tries: the app is not ready yet, so the error above is expected. Next try in $pause s."
  try=$((try + 1))
  sleep "$pause"
done

# dev.py needs the names in its environment if they are not the defaults.
settings=
[ "$INPUT_CONTAINER" = inbox ] || settings="INPUT_CONTAINER=$INPUT_CONTAINER "
[ "$OUTPUT_CONTAINER" = results ] || settings="${settings}OUTPUT_CONTAINER=$OUTPUT_CONTAINER "

cat <<END

blob-ocr is ready. Drop a file:

  az storage blob upload --auth-mode login --account-name $DOCUMENTS_ACCOUNT \\
    --container-name $INPUT_CONTAINER --name ${INPUT_FOLDER:-}scan.pdf --file scan.pdf

Its text is in the table "documents" of that account and in the container $OUTPUT_CONTAINER within a minute:

  ${settings}python3 dev.py text ${INPUT_FOLDER:-}scan.pdf --storage $DOCUMENTS_ACCOUNT

The page: $AZURE_FUNCTION_APP_URL/api/
Its key:  az functionapp keys list --resource-group $AZURE_RESOURCE_GROUP \\
            --name $AZURE_FUNCTION_APP_NAME --query functionKeys.default --output tsv
END
if [ -n "${READ_FILES_FROM:-}" ]; then
  echo "Files last changed before $READ_FILES_FROM are left alone. To read them: azd env set READ_EXISTING_FILES true, then azd up."
fi
