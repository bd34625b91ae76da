#!/usr/bin/env bash
# Deploys the built template into the emulator that runs this hook, with the
# simulator for all providers. PROJECT is the checkout, SIMULATOR the file of the
# simulator's environment.
set -euo pipefail
. "$PROJECT/localstack/emulator/providers"
export AWS_ENDPOINT_URL=${AWS_ENDPOINT_URL:-http://127.0.0.1:4566} # package uploads by itself

stack=callagent
built=$PROJECT/.aws-sam/build/template.yaml
[ -e "$built" ] || { echo "the functions are not built: run make compose-up" >&2; exit 1; }

# As JSON, because the command would fetch a value that is a URL.
secret() {
  awslocal ssm put-parameter --cli-input-json \
    "{\"Name\":\"/$stack/local/$1\",\"Value\":\"$2\",\"Type\":\"SecureString\",\"Overwrite\":true}" >/dev/null
}

parameters=("SecretsPath=/$stack/local" "Architecture=$(uname -m | sed 's/aarch64/arm64/')")
providers "$SIMULATOR" "$PROJECT/template.yaml"

work=$(mktemp -d)
awslocal s3 mb s3://functions >/dev/null
awslocal cloudformation package --template-file "$built" --s3-bucket functions \
  --output-template-file "$work/template.yaml" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
awslocal cloudformation deploy --template-file "$work/template.yaml" --s3-bucket functions --stack-name $stack \
  --capabilities CAPABILITY_IAM --parameter-overrides "${parameters[@]}"
awslocal cloudformation describe-stacks --stack-name $stack \
  --query "Stacks[0].Outputs[?OutputKey=='OperatorEnvironment'].OutputValue" --output text
