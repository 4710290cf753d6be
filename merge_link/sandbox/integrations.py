"""The integrations that the sandbox knows."""

import colorsys
import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Integration:
    """An integration: its slug, its display name, and the categories that it belongs to.

    One without categories is not known to the sandbox, and fits in any.
    """

    slug: str
    name: str
    categories: tuple[str, ...] = ()

    def belongs_to(self, category: str) -> bool:
        """Whether Merge Link would show it in this category."""
        return category in self.categories or not self.categories

    @property
    def color(self) -> str:
        """A dark, saturated colour: the sandbox's choice, always the same for a slug."""
        hue = zlib.crc32(self.slug.encode()) / (1 << 32)
        channels = colorsys.hls_to_rgb(hue, 0.35, 0.6)
        return "#" + "".join(f"{round(channel * 255):02X}" for channel in channels)


_TABLE = """
adp-workforce-now   ADP Workforce Now    hris
asana               Asana                ticketing
ashby               Ashby                ats
bamboohr            BambooHR             hris ats
box                 Box                  filestorage
charliehr           CharlieHR            hris
clickup             ClickUp              ticketing
confluence          Confluence           knowledgebase
freshbooks          FreshBooks           accounting
freshdesk           Freshdesk            ticketing
freshteam           Freshteam            ats hris
github              GitHub               ticketing
gitlab              GitLab               ticketing
google-drive        Google Drive         filestorage
greenhouse          Greenhouse           ats
guru                Guru                 knowledgebase
gusto               Gusto                hris
hibob               HiBob                hris
hubspot             HubSpot              crm mktg ticketing
icims               iCIMS                ats
jazzhr              JazzHR               ats
jira                Jira                 ticketing
jobvite             Jobvite              ats
keap                Keap                 mktg
lever               Lever                ats
linear              Linear               ticketing
mailchimp           Mailchimp            mktg
netsuite            NetSuite             accounting
notion              Notion               knowledgebase
onedrive            OneDrive             filestorage
personio            Personio             hris ats
pipedrive           Pipedrive            crm
quickbooks-online   QuickBooks Online    accounting
rippling            Rippling             hris
sage-intacct        Sage Intacct         accounting
salesforce          Salesforce           crm
servicenow          ServiceNow           ticketing
sharepoint          SharePoint           filestorage
smartrecruiters     SmartRecruiters      ats
successfactors      SAP SuccessFactors   hris ats
teamtailor          Teamtailor           ats
ukg-pro             UKG Pro              hris
workable            Workable             ats
workday             Workday              hris ats
xero                Xero                 accounting
zendesk             Zendesk              ticketing
zoho-crm            Zoho CRM             crm
"""


def _row(line: str) -> Integration:
    slug, name, categories = line[:20].strip(), line[20:41].strip(), line[41:].split()
    return Integration(slug, name, tuple(categories))


INTEGRATIONS = tuple(_row(line) for line in _TABLE.strip().splitlines())
_BY_SLUG = {integration.slug: integration for integration in INTEGRATIONS}


def find_integration(slug: str) -> Integration:
    """The integration of a slug.

    Merge knows some 200 slugs and refuses others. That a slug which is not in the table is
    taken too, in every category, and shown in title case (``acme-hr`` becomes ``Acme Hr``), is
    the sandbox's choice.
    """
    known = _BY_SLUG.get(slug.lower())
    return known or Integration(slug, slug.replace("-", " ").replace("_", " ").title())
