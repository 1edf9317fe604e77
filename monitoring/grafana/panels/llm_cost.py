"""The dashboard "LLM cost and tokens": what model calls cost, whose they are, and why."""

from .builder import Dashboard, Panel, Query, Row
from .queries import (
    ANY, BY_MODEL, BY_PROVIDER, BY_TENANT, COST, DEAR_CALL, MODEL, MODEL_VARIABLES, PICO, PROVIDER, REAL, SIMULATED, TENANT_VARIABLE,
    grown, per_second, quantiles, rate, series, stat,
)

NO_REAL_MONEY = "no real provider is configured"
TRACES = ("llm-latency-and-reliability",)


def dollars_per_minute(money: str, by: str) -> str:
    """Spending of one kind of money."""
    return f"{per_second(COST, f'{money},{BY_TENANT}', by)} * 60 / {PICO}"


def spent(money: str) -> str:
    """Dollars of the range that is shown."""
    return f"sum({grown(COST, f'{money},{BY_TENANT}')}) / {PICO}"


MONEY = Row(100, "Money", (
    stat(1, "Spent, real", "Dollars of priced calls to real providers in the range shown, as Prometheus has seen them; the ledger (`/api/v1/llm/ledger`) is exact. Simulated calls are not in it.",
         "currencyUSD", spent(REAL), "dollars", empty=NO_REAL_MONEY),
    stat(2, "Spent, simulated", "What the simulated calls of the range shown would have cost, as Prometheus has seen them; the ledger is exact. Nobody is charged for it.",
         "currencyUSD", spent(SIMULATED), "dollars"),
    stat(3, "Unpriced calls", "Calls in the range shown whose model has no price. Their cost is unknown, not zero: add the model to the price catalogue.",
         "short", f"sum by ({MODEL}) ({grown('bookstore_gen_ai_unpriced_calls_total', BY_MODEL)})", f"{{{{{MODEL}}}}}",
         thresholds=ANY),
    stat(4, "Saved", "Dollars of the range shown that calls did not cost because a cached or shared answer was given, by kind of money.",
         "currencyUSD", f"sum by (reason, simulated) ({grown('bookstore_gen_ai_saved_cost_pico_usd_total')}) / {PICO}",
         "{{reason}}, simulated {{simulated}}"),
    series(5, "Dollars per minute, real", "Spending at real providers. A step up without more calls means longer answers or a dearer model. What a line began with is in no rate: the sums above have it.",
           "currencyUSD", dollars_per_minute(REAL, PROVIDER), f"{{{{{PROVIDER}}}}}", stacked=True, dotted=True, empty=NO_REAL_MONEY),
    series(6, "Dollars per minute, simulated", "What simulated calls would cost at the catalogue's prices. What a line began with is in no rate: the sums above have it.",
           "currencyUSD", dollars_per_minute(SIMULATED, PROVIDER), f"{{{{{PROVIDER}}}}}", stacked=True, dotted=True),
    Panel(7, "Cost per call", "Median and p95 of priced attempts, real and simulated apart.", "currencyUSD",
          quantiles("bookstore_gen_ai_operation_cost_usd", BY_MODEL, "simulated", "simulated {{simulated}}", (50, 95)),
          thresholds=DEAR_CALL, links=TRACES),
    series(8, "Cost by part, real", "Dollars per minute for input, cached input and output. Output is usually the dearest part per token.",
           "currencyUSD", dollars_per_minute(REAL, "cost_part"), "{{cost_part}}", stacked=True, dotted=True, empty=NO_REAL_MONEY),
    series(9, "Cost by part, simulated", "The same for simulated calls.", "currencyUSD",
           dollars_per_minute(SIMULATED, "cost_part"), "{{cost_part}}", stacked=True, dotted=True),
    series(10, "Tenants and features", "Dollars per minute by who asked and for what, simulated and real apart.", "currencyUSD",
           f"{per_second(COST, BY_TENANT, 'tenant, feature, simulated')} * 60 / {PICO}", "{{tenant}} {{feature}}, simulated {{simulated}}", stacked=True, dotted=True),
    series(11, "Dollars per hour by model", "The pace of each model, simulated and real apart.", "currencyUSD",
           f"{per_second(COST, BY_TENANT, f'{MODEL}, simulated')} * 3600 / {PICO}", f"{{{{{MODEL}}}}}, simulated {{{{simulated}}}}", dotted=True),
    Panel(12, "The dearest calls", "p99 of priced calls by model: what one call of a hundred costs.", "currencyUSD",
          quantiles("bookstore_gen_ai_operation_cost_usd", BY_MODEL, f"{MODEL}, simulated", f"{{{{{MODEL}}}}}, simulated {{{{simulated}}}}", (99,)),
          thresholds=DEAR_CALL, links=TRACES),
    Panel(19, "Cost per request", "Median and p95 of requests to models with all of their priced attempts: retries, fallbacks and repairs make one dearer than its call.", "currencyUSD",
          quantiles("bookstore_gen_ai_request_cost_usd", BY_PROVIDER, "simulated", "simulated {{simulated}}", (50, 95)),
          thresholds=DEAR_CALL, links=TRACES),
))

USAGE = "gen_ai_client_token_usage"
TOKENS = "bookstore_gen_ai_tokens_total"
KIND = "token_kind"

TOKEN_ROW = Row(101, "Tokens", (
    series(13, "Tokens by kind", "Tokens per second. Input includes cached tokens and output includes reasoning, so the kinds do not add up.", "short",
           per_second(TOKENS, BY_MODEL, f"{KIND}, simulated"), "{{token_kind}}, simulated {{simulated}}"),
    Panel(14, "Tokens of a call, output", "Median and p95: answers that grow make calls slower and dearer.", "short",
          quantiles(USAGE, f'{BY_MODEL},gen_ai_token_type="output"', MODEL, f"{{{{{MODEL}}}}}", (50, 95)), links=TRACES),
    Panel(15, "Tokens of a call, input", "Median and p95: a prompt that grew is paid with each call.", "short",
          quantiles(USAGE, f'{BY_MODEL},gen_ai_token_type="input"', MODEL, f"{{{{{MODEL}}}}}", (50, 95)), links=TRACES),
    series(16, "Cached share of the input", "Tokens that the provider read from its cache, at a lower price.", "percentunit",
           "sum by ({0}) ({1}) / (sum by ({0}) ({2}) > 0)".format(
               MODEL, rate(TOKENS, BY_MODEL + ',token_kind="cache_read"'), rate(TOKENS, BY_MODEL + ',token_kind="input"')),
           f"{{{{{MODEL}}}}}", zero="short prompts are not cached"),
    series(17, "Dollars of a million output tokens", "What output costs, as paid: a step is another price, tier or model.", "currencyUSD",
           "sum by ({0}, simulated) ({1}) / 1e6 / (sum by ({0}, simulated) ({2}) > 0)".format(
               MODEL, rate(COST, BY_TENANT + ',cost_part="output"'), rate(TOKENS, BY_MODEL + ',token_kind="output"')),
           f"{{{{{MODEL}}}}}, simulated {{{{simulated}}}}", dotted=True),
    stat(18, "Price catalogue", "The version in use, and the day on which its prices were read from the vendors' pages.", "short",
         "bookstore_price_catalogue_info == 1", "{{version}}, {{checked_on}}", width=8),
))

DASHBOARD = Dashboard(
    uid="llm-cost-and-tokens",
    title="LLM cost and tokens",
    description="What model calls cost, real and simulated apart, whose they are, and why.",
    variables=(*MODEL_VARIABLES, TENANT_VARIABLE),
    rows=(MONEY, TOKEN_ROW),
    tags=("bookstore", "llm"),
)
