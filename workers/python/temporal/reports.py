"""What the example's tasks call; the worker imports it from the folder it is started in."""


def load_account():
    """The account that the report is about."""
    return {"name": "Ada", "entries": [120, -35, 410]}


def build_report(account):
    """A report over the account's entries."""
    return {"title": f"Report for {account['name']}", "balance": sum(account["entries"])}
