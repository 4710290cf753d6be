"""Display names of integrations."""

_NAMES = {
    "adp-workforce-now": "ADP Workforce Now",
    "asana": "Asana",
    "ashby": "Ashby",
    "bamboohr": "BambooHR",
    "box": "Box",
    "charliehr": "CharlieHR",
    "clickup": "ClickUp",
    "freshdesk": "Freshdesk",
    "freshteam": "Freshteam",
    "github": "GitHub",
    "gitlab": "GitLab",
    "google-drive": "Google Drive",
    "greenhouse": "Greenhouse",
    "gusto": "Gusto",
    "hibob": "HiBob",
    "hubspot": "HubSpot",
    "icims": "iCIMS",
    "jazzhr": "JazzHR",
    "jira": "Jira",
    "jobvite": "Jobvite",
    "lever": "Lever",
    "linear": "Linear",
    "netsuite": "NetSuite",
    "onedrive": "OneDrive",
    "personio": "Personio",
    "pipedrive": "Pipedrive",
    "quickbooks-online": "QuickBooks Online",
    "rippling": "Rippling",
    "sage-intacct": "Sage Intacct",
    "salesforce": "Salesforce",
    "servicenow": "ServiceNow",
    "sharepoint": "SharePoint",
    "smartrecruiters": "SmartRecruiters",
    "successfactors": "SAP SuccessFactors",
    "teamtailor": "Teamtailor",
    "ukg-pro": "UKG Pro",
    "workable": "Workable",
    "workday": "Workday",
    "xero": "Xero",
    "zendesk": "Zendesk",
}


def display_name(slug: str) -> str:
    """The name that Merge Link would show for an integration.

    Merge knows some 200 slugs and refuses others. That a slug which is not in the table is
    taken too, and shown in title case (``acme-hr`` becomes ``Acme Hr``), is the sandbox's choice.
    """
    return _NAMES.get(slug.lower()) or slug.replace("-", " ").replace("_", " ").title()
