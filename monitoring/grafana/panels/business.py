"""The dashboard "Business": what readers and librarians do with the shop."""

from .builder import Dashboard, Row
from .queries import HTTP, PROVIDER, SERVICE_VARIABLES, grown, per_second, rate, series, share_of, stat

SHOP = 'job="bookstore-api",instance=~"$instance"'
DONE = f'{SHOP},http_response_status_code=~"2.."'
READ = f'{DONE},http_route=~"/api/v1/books.*",http_request_method="GET"'
CHANGED = f'{DONE},route_class="catalogue",http_request_method=~"POST|PUT|PATCH|DELETE"'
RATED = "bookstore_summaries_feedback_total"
CHECKED = "bookstore_summaries_output_checks_total"

SHELVES = Row(102, "On the shelves", (
    # Of all tenants; each instance tells of the same store.
    series(10, "Books", "Titles of all tenants, looked at each half minute; nothing while the store is away.", "short", f"max(bookstore_books{{{SHOP}}})", "books"),
    series(11, "Copies in stock", "Of all tenants' books. It falls while what is sold is not ordered anew.", "short", f"max(bookstore_stock_units{{{SHOP}}})", "copies"),
    series(12, "Authors", "Of all tenants.", "short", f"max(bookstore_authors{{{SHOP}}})", "authors"),
))

READERS = Row(100, "Readers", (
    series(1, "Searches", "Per minute, by whether they found something.", "short",
           f"{per_second('bookstore_searches_total', SHOP, 'outcome')} * 60", "{{outcome}}"),
    series(2, "Searches that find nothing", "Share; it shows what the shop lacks.", "percentunit",
           share_of(rate("bookstore_searches_total", f'{SHOP},outcome="empty"'), rate("bookstore_searches_total", SHOP), "job"), "empty"),
    series(3, "Books read", "Pages of one book or of a list, per minute.", "short",
           f"{per_second(f'{HTTP}_count', READ, 'http_route')} * 60", "{{http_route}}"),
    series(4, "Catalogue changed", "Books and authors made, changed and deleted per minute.", "short",
           f"{per_second(f'{HTTP}_count', CHANGED, 'http_request_method')} * 60",
           "{{http_request_method}}"),
))

SUMMARIES = Row(101, "Summaries", (
    series(5, "Summaries asked for", "Per minute, by how it ended.", "short",
           "{} * 60".format(per_second(f"{HTTP}_count", f'{SHOP},route_class="ai"', "http_response_status_code")), "{{http_response_status_code}}"),
    series(6, "Summaries written", "New ones per minute that were stored on their book; the others were there already.", "short",
           f"{per_second('bookstore_summaries_generated_total', SHOP, PROVIDER)} * 60", f"{{{{{PROVIDER}}}}}"),
    stat(7, "Good ratings", "Share of the ratings of the range shown.", "percentunit",
         'sum({}) / (sum({}) > 0)'.format(grown(RATED, f'{SHOP},rating="good"'), grown(RATED, SHOP)), "good", width=8,
         thresholds=((0.5, "yellow"), (0.8, "green")), base="red"),
    series(8, "Ratings", "Per minute.", "short", f"{per_second(RATED, SHOP, 'rating')} * 60", "{{rating}}"),
    series(9, "Answers that pass at once", "Share of the first answers that needed no repair.", "percentunit",
           share_of(rate(CHECKED, f'{SHOP},answer="first",check="passed"'), rate(CHECKED, f'{SHOP},answer="first"'), "job"), "passed", thresholds=((0.9, "yellow"), (0.95, "green")), base="red"),
))

DASHBOARD = Dashboard(
    uid="business",
    title="Business",
    description="What readers and librarians do with the shop.",
    variables=SERVICE_VARIABLES,
    rows=(READERS, SHELVES, SUMMARIES),
)
