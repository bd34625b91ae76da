#!/usr/bin/env bash
# LocalStack keeps the schedules of EventBridge Scheduler and never fires them.
# A rule of EventBridge does fire, so it ticks each minute in the schedule's place.
set -euo pipefail

function=$(awslocal lambda get-function --function-name callagent-healthcheck --query Configuration.FunctionArn --output text)
rule=$(awslocal events put-rule --name callagent-minute --schedule-expression 'rate(1 minute)' --query RuleArn --output text)
awslocal lambda add-permission --function-name callagent-healthcheck --statement-id minute \
  --action lambda:InvokeFunction --principal events.amazonaws.com --source-arn "$rule" >/dev/null
awslocal events put-targets --rule callagent-minute \
  --targets "[{\"Id\":\"healthcheck\",\"Arn\":\"$function\",\"Input\":\"{\\\"source\\\":\\\"schedule\\\"}\"}]" >/dev/null
echo "healthcheck ticks each minute"
