"""environment.py STACK [--functions HOST]

Prints what a deployed stack is reached by, as lines of a shell: the environment
that its functions have in common, every output, and the emulator itself.

With --functions it prints what `sam local invoke --env-vars` takes instead: the
environment of each function, in which this machine is called HOST.
"""

import json
import os
import re
import shlex
import sys

import boto3


def functions(stack):
    """The environment of each function, by its logical id."""
    resources = boto3.client("cloudformation").get_paginator("list_stack_resources")
    found = {}
    for page in resources.paginate(StackName=stack):
        for r in page["StackResourceSummaries"]:
            if r["ResourceType"] == "AWS::Lambda::Function":
                configuration = boto3.client("lambda").get_function_configuration(FunctionName=r["PhysicalResourceId"])
                found[r["LogicalResourceId"]] = configuration.get("Environment", {}).get("Variables", {})
    return found


def outputs(stack):
    """The outputs, named like variables: ContactsQueueUrl is CONTACTS_QUEUE_URL."""
    described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", o["OutputKey"]).upper(): o["OutputValue"]
        for o in described.get("Outputs", [])
    }


def common(environments):
    """What all of them say alike."""
    shared = set.intersection(*(set(e.items()) for e in environments))
    return dict(shared)


def main(stack, host=None):
    environments = functions(stack)
    if host:
        text = json.dumps(environments, indent=1)
        print(text.replace("127.0.0.1", host))
        return
    here = {n: os.environ[n] for n in os.environ if n.startswith("AWS_")}
    for name, value in sorted({**outputs(stack), **common(environments.values()), **here}.items()):
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main(*(a for a in sys.argv[1:] if a != "--functions"))
