"""Why panels have no thresholds, by dashboard: no value of theirs is good or bad by itself."""

# Reasons that several dashboards share.
ASKED = "how much is asked for is neither good nor bad"
MONEY = "how much is much is a matter of budgets, on the dashboard SLO and budgets"
KINDS = "quick and slow kinds share it, each with bounds of its own"
SIZE = "what is much depends on the machine and the settings"
BY_RUN = "the limits of the test judge it (docs/slo.md)"
OUTCOMES = "good and bad outcomes stand side by side"
CALLERS = "callers' mistakes are theirs"

UNJUDGED = {
    "overview": {
        ASKED: (3, 4), MONEY: (9,),
        "what is usual differs by cache: the alert CacheHitsFall compares it with yesterday": (12,),
    },
    "api-performance": {KINDS: (4, 5, 10), ASKED: (6, 7, 8, 9)},
    "errors-and-diagnostics": {CALLERS: (3,), OUTCOMES: (9,)},
    "llm-cost-and-tokens": {
        MONEY: (1, 2, 4, 5, 6, 8, 9, 10, 11), ASKED: (13,),
        "how long an answer or a prompt should be is the feature's": (14, 15),
        "what can be cached depends on the prompts": (16,),
        "the vendor's price": (17,),
        "a version": (18,),
    },
    "llm-latency-and-reliability": {
        "its parts are judged by the panels beside it": (4,),
        "the settings of retries make it": (6,),
        "a property of the model": (9,),
        OUTCOMES: (10,),
        "it is judged by what it leads to: failures and dollars": (11,),
        ASKED: (17, 18),
    },
    "http-and-connections": {ASKED: (1, 2, 3, 6), "sizes are the routes' own": (4, 5)},
    "dependencies": {
        ASKED: (1, 9, 10), SIZE: (5, 11, 12, 13),
        "what is usual differs by cache: the alert CacheHitsFall compares it with yesterday": (8,),
    },
    "runtime": {SIZE: (1, 2, 3, 4, 8, 10, 13), "an age": (5,), OUTCOMES: (16,), "two versions are a deploy": (18,)},
    "load-test": {
        ASKED: (1, 33, 34, 41, 42, 44, 7, 5), "a run waits for those before it, however long they are": (3,),
        OUTCOMES: (4, 15, 45, 12), BY_RUN: (35, 36, 39), KINDS: (8,), MONEY: (40, 9, 13), SIZE: (11,),
    },
    "slo-and-budgets": {
        "each objective has another bound: burn rates are judged": (4,), "the objective itself": (5,),
        MONEY: (9, 11, 12, 13),
    },
    "business": {"a shop may be as large as it likes": (10, 11, 12), ASKED: (1, 3, 4, 6), OUTCOMES: (5, 8), "what the shop lacks is no fault of the service": (2,)},
    "chaos": {"faults are planted on purpose": (1, 2), MONEY: (11,)},
}
