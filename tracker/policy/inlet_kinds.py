"""Ready mappings: how shops and CRMs sign their webhooks, and where in them what stands, as far as is known.

An inlet begun with one of these is changed as one likes; docs/integrator.md says where to click over there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tracker.policy.signatures import Signature


@dataclass(frozen=True)
class InletKind:
    """`place`: of what proves a message, "": where it usually stands."""

    word: str
    title: str
    signature: Signature
    place: str
    words: Mapping[str, str]


def _map(**places: str) -> dict[str, str]:
    return {f"map.{name}": path for name, path in places.items()}


_OWN = {
    "reference": "reference", "revenue": "revenue", "currency": "currency", "at": "at", "phone": "phone",
    "call": "call", "status": "status", "responsible": "responsible",
}  # fmt: skip

KINDS: Mapping[str, InletKind] = {
    kind.word: kind
    for kind in (
        InletKind(
            "own", "Standard Webhooks", Signature.STANDARD, "",
            _map(**_OWN) | {"won": "won", "cancelled": "cancelled", "target": "target,won",
                            "service": "service", "non_target": "non_target"},
        ),
        # A robot "Outgoing webhook" has the fields of the deal put into its address.
        InletKind(
            "bitrix24", "Bitrix24", Signature.TOKEN_QUERY, "token",
            _map(reference="query.deal", revenue="query.amount", currency="query.currency",
                 phone="query.phone", status="query.stage", responsible="query.responsible")
            | {"won": "WON", "cancelled": "LOSE", "target": "WON", "non_target": "LOSE"},
        ),
        # Webhooks of amoCRM are not signed; of a form's list the field of that name is chosen.
        InletKind(
            "amocrm", "amoCRM / Kommo", Signature.TOKEN_QUERY, "token",
            _map(rows="leads.status", reference="id", revenue="price", at="updated_at", status="status_id",
                 phone="custom_fields.[name=Phone].values.0.value", responsible="responsible_user_id")
            | {"won": "142", "cancelled": "143", "target": "142"},
        ),
        # Of a workflow, with these properties of the deal in its body.
        InletKind(
            "hubspot", "HubSpot", Signature.HUBSPOT, "",
            _map(reference="hs_object_id", revenue="amount", at="closedate", phone="phone",
                 status="dealstage", responsible="hubspot_owner_id")
            | {"won": "closedwon", "cancelled": "closedlost", "target": "qualifiedtobuy,closedwon"},
        ),
        # Of a flow with an HTTP callout.
        InletKind(
            "salesforce", "Salesforce", Signature.TOKEN_HEADER, "X-Leaseline-Token",
            _map(reference="Id", revenue="Amount", at="CloseDate", phone="Phone", status="StageName",
                 responsible="OwnerEmail")
            | {"won": "Closed Won", "cancelled": "Closed Lost", "target": "Qualification,Closed Won"},
        ),
        InletKind(
            "shopify", "Shopify", Signature.SHA256_BASE64, "X-Shopify-Hmac-Sha256",
            _map(reference="name", revenue="total_price", currency="currency", at="processed_at",
                 phone="phone|billing_address.phone|shipping_address.phone|customer.phone",
                 status="financial_status")
            | {"won": "paid,partially_refunded", "cancelled": "refunded,voided"},
        ),
        InletKind(
            "woocommerce", "WooCommerce", Signature.SHA256_BASE64, "X-WC-Webhook-Signature",
            _map(reference="id", revenue="total", currency="currency", at="date_created",
                 phone="billing.phone", status="status")
            | {"won": "processing,completed", "cancelled": "cancelled,refunded"},
        ),
    )
}  # fmt: skip
