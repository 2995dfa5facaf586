"""Writing with a language model: what it is asked, what of its answer can be used, and what is written without one."""

from engine.mail.drafting.addresses import MADE_UP, is_made_up, made_up_address
from engine.mail.drafting.answers import Unreadable, json_in
from engine.mail.drafting.contacts import Contact, read_contacts
from engine.mail.drafting.drafts import Draft, read_draft
from engine.mail.drafting.prompts import Length, Prompt, Style, contacts_prompt, draft_prompt, repair
from engine.mail.drafting.rules import TEMPLATE_MODEL, Invented, template_contacts, template_draft
from engine.mail.drafting.slices import Initials, address_of, initials_of

__all__ = [
    "MADE_UP",
    "TEMPLATE_MODEL",
    "Contact",
    "Draft",
    "Initials",
    "Invented",
    "Length",
    "Prompt",
    "Style",
    "Unreadable",
    "address_of",
    "contacts_prompt",
    "draft_prompt",
    "initials_of",
    "is_made_up",
    "json_in",
    "made_up_address",
    "read_contacts",
    "read_draft",
    "repair",
    "template_contacts",
    "template_draft",
]
