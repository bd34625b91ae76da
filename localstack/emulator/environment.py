"""environment.py STACK [HOST]

Prints what a deployed stack is reached by, as lines of a shell: what its
functions are told alike, CALLBACK_URL, and the emulator with its keys.

With HOST it prints what `sam local invoke --env-vars` takes instead: the
environment of each function, in which this machine is called HOST.
"""

import json
import os
import shlex
import sys

import boto3

ours = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]


def resources(stack, kind):
    """The logical and the physical id of every resource of a kind."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for page in pages:
        for r in page["StackResourceSummaries"]:
            if r["ResourceType"] == kind:
                yield r["LogicalResourceId"], r["PhysicalResourceId"]


def environment(function):
    configuration = boto3.client("lambda").get_function_configuration(FunctionName=function)
    return configuration["Environment"]["Variables"]


def callback_url(stack):
    name = dict(resources(stack, "AWS::Lambda::Function"))["CallbackFunction"]
    return boto3.client("lambda").get_function_url_config(FunctionName=name)["FunctionUrl"]


def main(stack, host=None):
    told = {name: environment(at) for name, at in resources(stack, "AWS::Lambda::Function")}
    if host:
        print(json.dumps(told, indent=1).replace("127.0.0.1", host))
        return
    alike = dict(set.intersection(*(set(variables.items()) for variables in told.values())))
    alike |= {"CALLBACK_URL": callback_url(stack)} | {name: os.environ[name] for name in ours}
    for name, value in sorted(alike.items()):
        print(f"export {name}={shlex.quote(value)}")


main(*sys.argv[1:])
