"""fit.py TEMPLATE [PARAMETER=VALUE]...

Rewrites a built template in place where MiniStack reads it otherwise than AWS:

- It takes the numbers of an event source only as numbers, and those of a
  parameter arrive as text. So they are put in.
- It knows no resource of ssm:GetParametersByPath and compares "*". So the roles
  that may do it may do it everywhere.
- It has actions of its own for batches of messages, where AWS takes the action
  for one. So who may do the one may do the other.

Everything else is deployed as it stands.
"""

import sys

from samcli.yamlhelper import yaml_dump, yaml_parse

counts = ["BatchSize", "MaximumConcurrency"]
batched = ["sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]


def put_numbers(node, numbers):
    for name, value in node.items():
        if name in counts and isinstance(value, dict) and "Ref" in value:
            node[name] = numbers[value["Ref"]]


def allow(node):
    actions = node.get("Action", [])
    actions = [actions] if isinstance(actions, str) else actions
    if "ssm:GetParametersByPath" in actions:
        node["Resource"] = "*"
    if of_messages := [a for a in actions if a in batched]:
        node["Action"] = actions + [a + "Batch" for a in of_messages]


def walk(node):
    """Every mapping in the template."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    for child in node if isinstance(node, list) else []:
        yield from walk(child)


def main(path, *overrides):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    values = {name: p.get("Default") for name, p in template["Parameters"].items()} | dict(o.split("=", 1) for o in overrides)
    numbers = {name: int(values[name]) for name, p in template["Parameters"].items() if p["Type"] == "Number"}
    for node in walk(template["Resources"]):
        put_numbers(node, numbers)
        allow(node)
    with open(path, "w", encoding="utf-8") as file:
        file.write(yaml_dump(template))


main(*sys.argv[1:])
