"""What advice keeps of people: what was advised for whom, which goes with the person. Advice about stock, lost steps
and notices to operators hold nothing of customers."""

from finalmarket.kernel.personal import Table, impersonal

TABLES = (
    Table(
        "next_actions", "customer_id = ANY (%(profiles)s)", is_deleted=True,
        none=(
            "action", "policy", "by_rule", "probabilities", "context", "reasons", "currency", "answer", "answered_by",
            "outcome",
        ),
    ),
    impersonal("action_policies", "state", "verdict", "figures"),  # sums over all, from which nobody can be read
    *(impersonal(name) for name in ("goods_affinities", "best_sellers", "advice_refreshes")),
    impersonal("supply_terms", "supplier"),
    impersonal("demand_forecasts", "method", "profile"),
    impersonal("stock_advice", "kind", "currency", "reason", "numbers", "state", "decided_by", "outcome"),
    impersonal("lost_steps", "action", "currency", "instead", "reason", "decided_by"),
    impersonal("notices", "kind", "key", "urgency", "title", "text", "about"),
    impersonal("notice_wishes", "kind", "mail"),
    impersonal("notice_mails", "key", "address", "subject", "body", "state", "last_error"),  # people of the staff
    *(impersonal(name) for name in ("notice_readings", "notice_mail_lines")),
)  # fmt: skip
