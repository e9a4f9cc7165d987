"""The steps of the proof, in their order: what is run, what it proves, in which doses, and how long it may take.

The figures come first, while nothing else runs. The minutes of the hour sum to 55 at most; a test keeps that. What is
promised for more than an hour holds has a step of its own beyond it, and has to be named.
"""

from __future__ import annotations

from tests.proof.step import Floor, Step, figures, laws

HISTORY = "over ten million interactions that stand there already"

STEPS = (
    # Figures. The order of a bench's runs is its own: five of each, fewer where a run takes a minute.
    Step(
        "stock", "Stock is reserved fast: one SKU that everybody wants, ten thousand SKUs, and orders imported.",
        "figures", figures("stock"), minutes=2.5,
        floors=(
            Floor("hot_sku_256", at_least=5, measure="ratio"), Floor("hot_sku_1000", at_least=7, measure="ratio"),
            Floor("hot_sku_p99_ms", at_most=150), Floor("spread_10k", at_least=2, measure="ratio"),
            Floor("hot_sku_fairness", at_least=0.5, measure="ratio"), Floor("order_import", at_least=5_000),
            Floor("import_peak_mb", at_most=400),
        ),
    ),
    Step(
        "sync",
        "What changes here is seen within a second on seven platforms and the practice one; limits are used and kept.",
        "figures", figures("sync"), minutes=6.5,
        floors=(
            Floor("sync_freshness_p95_s", at_most=1),
            Floor("sync_freshness_beside_dead_p95_s", at_most=2, measure="ratio"),
            Floor("pushes_of_1000_changes", at_most=5), Floor("push_budget_used", at_least=0.95),
            Floor("push_429_share", at_most=0.001),
        ),
    ),
    Step(
        "lifetime", "What a million customers are worth is fitted in seconds, to the same top as a plain fit.",
        "figures", figures("lifetime"), minutes=1.5,
        floors=(Floor("clv_fit_1m_s", at_most=5), Floor("clv_predict_1m_s", at_most=0.5)),
    ),
    Step(
        "figures", "The figures of today hold an order soon, and cost little to whoever takes it.",
        "figures", figures("figures"), minutes=2.5, floors=(Floor("figures_freshness_p95_s", at_most=2),),
    ),
    Step(
        "api", "The REST API over HTTP: reservations beside doing nothing, lists over a million orders.",
        "figures", figures("api"), minutes=4.5,
        floors=(
            Floor("http_hot_sku", at_least=0.5, measure="ratio"), Floor("http_orders_list_p95_ms", at_most=50),
            Floor("http_orders_of_channel_p95_ms", at_most=50), Floor("http_orders_of_customer_p95_ms", at_most=50),
            Floor("http_orders_of_variant_p95_ms", at_most=50), Floor("http_orders_deep_p95_ms", at_most=50),
        ),
    ),
    Step(
        "ingest", "Events come in over HTTP, beside COPY of the same rows; none is lost when it is killed.",
        "figures", figures("ingest", "--rows", "1000000"), minutes=4,
        floors=(
            Floor("ingest_batch_100", at_least=0.3, measure="ratio"), Floor("ingest_lost_events", at_most=0),
            Floor("ingest_doubled_events", at_most=0),
        ),
    ),
    Step(
        "demand", "Forecasts of demand on a year of a real shop, beside naive ones.", "figures", figures("demand"),
        minutes=0.5,
    ),
    # Laws.
    Step(
        "fire", "Ten thousand buyers at once: a judge of their histories finds no unit too many, no refusal too early.",
        "laws",
        laws("tests/laws/test_under_fire.py", "tests/laws/test_never_oversold.py", "tests/laws/test_history.py",
             alone=True),
        minutes=2,
        doses={
            "FINALMARKET_PROOF_REQUESTS": "200000", "FINALMARKET_PROOF_BUYERS": "10000",
            "FINALMARKET_PROOF_HISTORIES": "2000",
        },
        floors=(
            Floor("requests", at_least=400_000), Floor("oversold", at_most=0), Floor("wrongly_refused", at_most=0),
        ),
    ),
    Step(
        "games", "Whatever is done to stock in whatever order, a referee agrees with every grant and every refusal.",
        "laws", laws("tests/laws/test_stock_laws.py", "tests/orders/test_laws.py"), minutes=2,
        doses={"FINALMARKET_LAWS": "120"}, floors=(Floor("games", at_least=120),),
    ),
    Step(
        "months",
        "Months of a whole house, with accounts on the practice platform, in virtual time, from seeds: no order of"
        " events breaks a law.",
        "laws", laws("tests/simulation"), minutes=3, doses={"FINALMARKET_PROOF_SEEDS": "100"},
        floors=(Floor("seeds", at_least=100), Floor("broken", at_most=0)),
    ),
    Step(
        "border",
        "Whatever a platform does wrong, nothing is lost and nothing is doubled, on each of the 24 and on two practice"
        " platforms; drift and storms on one of these.",
        "laws",
        laws("tests/laws/test_border_laws.py", "tests/integrations/test_drift.py",
             "tests/integrations/test_push_storm.py"),
        minutes=4,
        doses={
            "FINALMARKET_FAULTS": "60", "FINALMARKET_PROOF_NUMBERS": "2000", "FINALMARKET_PROOF_STORMS": "3",
        },
        floors=(Floor("faults", at_least=1_500), Floor("lost or doubled", at_most=0)),
    ),
    Step(
        "contract", "Every connector meets every fault on every read and write, and loses and doubles nothing.",
        "laws", laws("tests/connectors/test_conformance.py"), minutes=2, doses={"FINALMARKET_FAULTS": "60"},
    ),
    Step(
        "cuts",
        "A worker that is killed on any path of the border post, at every third of the named points that it passes,"
        " loses and doubles nothing (practice platforms).",
        "laws",
        laws("tests/laws/test_killed_anywhere.py", "tests/laws/test_every_step_can_be_cut.py",
             "tests/laws/test_talk_can_be_cut.py", "tests/laws/test_border_parts.py",
             "tests/integrations/test_desk_cut.py", "tests/integrations/test_books_cut.py"),
        minutes=3, doses={"FINALMARKET_PROOF_CUTS": "3"},
        floors=(Floor("paths", at_least=60), Floor("workers killed", at_least=90)),
    ),
    Step(
        "kills",
        "The database is killed again and again while an account on the practice platform is synced: nothing is lost,"
        " doubled or stale.",
        "laws", laws("tests/laws/test_killed_database.py", alone=True), minutes=1.5, doses={"FINALMARKET_KILLS": "20"},
        floors=(Floor("kills", at_least=20), Floor("lost, doubled or stale", at_most=0)),
    ),
    Step(
        "crash", "Killed, full, read-only, out of connections: what was answered is kept, and the house serves again.",
        "laws", laws("tests/crash"), minutes=3,
        doses={
            "FINALMARKET_PROOF_CRASH": "1", "FINALMARKET_KILLS": "20", "FINALMARKET_PROOF_STORM": "30",
            "FINALMARKET_PROOF_FILLED": "3",
        },
        floors=(
            Floor("kills", at_least=130), Floor("kills of the database", at_least=20),
            Floor("ready again within ten seconds", at_least=20), Floor("times filled up", at_least=3),
            Floor("writes seen to commit", at_least=70), Floor("lost", at_most=0), Floor("doubled", at_most=0),
        ),
    ),
    Step(
        "once",
        "Webhooks in any order, once or five times, orders over three ways at once: each is in the books once (practice"
        " platform).",
        "laws", laws("tests/integrations/test_any_order.py", "tests/integrations/test_pull_race.py"), minutes=2,
        doses={
            "FINALMARKET_PROOF_EVENTS": "500", "FINALMARKET_PROOF_SHUFFLES": "10",
            "FINALMARKET_PROOF_ORDERS": "2000",
        },
        floors=(
            Floor("events", at_least=5_000), Floor("deliveries", at_least=10_000), Floor("orders", at_least=2_000),
            Floor("kills", at_least=20),
        ),
    ),
    Step(
        "forgeries", "Ten thousand forged webhooks of the practice platform: none is taken.",
        "laws", laws("tests/integrations/test_inbox.py", alone=True), minutes=0.5,
        doses={"FINALMARKET_PROOF_FORGERIES": "10000"},
        floors=(Floor("forgeries", at_least=10_000), Floor("let in", at_most=0)),
    ),
    Step(
        "persons", "Who is one person depends on no order of arrival; suggestions find as many as the references do.",
        "laws",
        laws("tests/customers", "tests/journeys/test_stitch_laws.py", "tests/integrations/test_erase.py"), minutes=3,
        doses={
            "FINALMARKET_PROOF_GRAPHS": "2000", "FINALMARKET_PROOF_WORLDS": "80", "FINALMARKET_PROOF_LINKAGE": "1",
            "FINALMARKET_PROOF_ERASED": "50",
        },
        floors=(
            Floor("graphs", at_least=6_000), Floor("orders of arrival", at_least=40_000),
            Floor("worlds", at_least=300),
        ),
    ),
    Step(
        "daily", "Daily figures that are kept up equal those from scratch, to the cent, whatever becomes known when.",
        "laws", laws("tests/laws/test_figures_law.py", alone=True), minutes=0.5,
        doses={"FINALMARKET_PROOF_FIGURES": "30"}, floors=(Floor("histories", at_least=60),),
    ),
    Step(
        "calls", "Ten thousand calls that a program makes up, by every kind of key: no error, all as described.",
        "laws",
        laws("tests/api/test_schemathesis.py", "tests/api/shop/test_schemathesis.py",
             "tests/api/test_nothing_breaks.py"),
        minutes=5, doses={"FINALMARKET_API_CALLS": "10000"}, floors=(Floor("calls", at_least=15_000),),
    ),
    Step(
        "security", "Hostile addresses, answers, bodies are refused; keys are changed under load, and nobody notices.",
        "laws", laws("tests/security"), minutes=1, doses={"FINALMARKET_PROOF_ROTATIONS": "4"},
    ),
    # Beyond the hour: these have to be named (make proof STEPS="history analytics").
    Step(
        "suite", "Every test of the house passes, in a quarter of an hour.", "figures",
        ("python", "-m", "tests.proof.suite"), minutes=16, doses={"FINALMARKET_SUITE_RUNS": "1"},
        floors=(
            Floor("suite_failed", at_most=0), Floor("suite_minutes", at_most=15), Floor("suite_tests", at_least=11_000),
        ),
        is_in_the_hour=False,
    ),
    Step(
        "border-long", "5,000 faults of the 24 platforms and two practice ones.", "laws",
        laws("tests/laws/test_border_laws.py"), minutes=12,
        doses={"FINALMARKET_FAULTS": "200"},
        floors=(Floor("faults", at_least=5_000), Floor("lost or doubled", at_most=0)), is_in_the_hour=False,
    ),
    Step(
        "cuts-long",
        "A worker (practice platforms, and what it does inside the house), and a web process on every way that programs"
        " take, killed at every visit of every named point.",
        "laws",
        laws("tests/laws/test_killed_anywhere.py", "tests/laws/test_talk_can_be_cut.py",
             "tests/integrations/test_desk_cut.py", "tests/integrations/test_books_cut.py",
             "tests/crash/test_web_cut_off.py", "tests/crash/test_work_cut_off.py",
             "tests/doors/test_doors_cut_off.py"),
        minutes=40, doses={"FINALMARKET_PROOF_CUTS": "all", "FINALMARKET_PROOF_CRASH": "1"},
        floors=(
            Floor("paths", at_least=60), Floor("workers killed", at_least=1_200), Floor("kills", at_least=60),
            Floor("writes seen to commit", at_least=70),
        ),
        is_in_the_hour=False,
    ),
    Step(
        "once-long", "20,000 webhooks in ten orders, and 20,000 orders over three ways, of the practice platform.",
        "laws",
        laws("tests/integrations/test_any_order.py", "tests/integrations/test_pull_race.py"), minutes=60,
        doses={
            "FINALMARKET_PROOF_EVENTS": "20000", "FINALMARKET_PROOF_SHUFFLES": "10",
            "FINALMARKET_PROOF_ORDERS": "20000",
        },
        floors=(
            Floor("events", at_least=200_000), Floor("deliveries", at_least=500_000), Floor("orders", at_least=20_000),
            Floor("kills", at_least=200),
        ),
        is_in_the_hour=False,
    ),
    Step(
        "months-long", "2,000 seeds of thirty virtual days.", "laws", laws("tests/simulation"), minutes=45,
        doses={"FINALMARKET_PROOF_SEEDS": "2000"},
        floors=(Floor("seeds", at_least=2_000), Floor("broken", at_most=0)), is_in_the_hour=False,
    ),
    Step(
        "history", f"Paths, funnels and attribution {HISTORY}, beside DuckDB.", "figures", figures("history"),
        minutes=25, is_in_the_hour=False,
    ),
    Step(
        "analytics", f"Questions to the lake {HISTORY}, beside the same by hand.", "figures", figures("analytics"),
        minutes=25, is_in_the_hour=False,
    ),
    Step(
        "ingest-10m", f"Events come in over HTTP {HISTORY}.", "figures", figures("ingest"), minutes=25,
        floors=(
            Floor("ingest_batch_100", at_least=0.3, measure="ratio"), Floor("ingest_lost_events", at_most=0),
            Floor("ingest_doubled_events", at_most=0),
        ),
        is_in_the_hour=False,
    ),
    Step(
        "pages", "The console's pages at a million orders, ten million interactions and 100,000 SKUs on ten channels.",
        "figures",
        ("python", "-m", "tests.bench.console_pages", "--orders", "1000000", "--interactions", "10000000"), minutes=40,
        is_in_the_hour=False,
    ),
)  # fmt: skip
