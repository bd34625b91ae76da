"""environment.py STACK [HOST]

Prints what a deployed stack is reached by, as lines of a shell: its output
OperatorEnvironment, CALLBACK_URL, and the emulator with its keys.

With HOST it prints what `sam local invoke --env-vars` takes instead: the
environment of each function, in which this machine is called HOST.
"""

import json
import os
import sys

import boto3

ours = ["AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]


def outputs(stack):
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]}


def functions(stack):
    """The environment of each function, by its logical id."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for page in pages:
        for r in page["StackResourceSummaries"]:
            if r["ResourceType"] == "AWS::Lambda::Function":
                configuration = boto3.client("lambda").get_function_configuration(FunctionName=r["PhysicalResourceId"])
                yield r["LogicalResourceId"], configuration["Environment"]["Variables"]


def main(stack, host=None):
    if host:
        print(json.dumps(dict(functions(stack)), indent=1).replace("127.0.0.1", host))
        return
    told = outputs(stack)
    print(told["OperatorEnvironment"])
    print(f"export CALLBACK_URL={told['CallbackUrl']}")
    for name in ours:
        print(f"export {name}={os.environ[name]}")


main(*sys.argv[1:])
