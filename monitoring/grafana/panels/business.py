"""The dashboard "Business": what readers and librarians do with the shop."""

from .builder import Dashboard, Row
from .queries import HTTP, PROVIDER, per_second, rate, series, share_of, stat

BOOKS = 'job="bookstore-api",http_route=~"/api/v1/books.*"'
DONE = 'http_response_status_code=~"2.."'

READERS = Row(100, "Readers", (
    series(1, "Searches", "Per minute, by whether they found something.", "short",
           f"{per_second('bookstore_searches_total', '', 'outcome')} * 60", "{{outcome}}"),
    series(2, "Searches that find nothing", "Share; it shows what the shop lacks.", "percentunit",
           share_of(rate("bookstore_searches_total", 'outcome="empty"'), rate("bookstore_searches_total"), "job"), "empty"),
    series(3, "Books read", "Pages of one book or of a list, per minute.", "short",
           f"{per_second(f'{HTTP}_count', f'{BOOKS},{DONE}' + ',http_request_method=' + chr(34) + 'GET' + chr(34), 'http_route')} * 60", "{{http_route}}"),
    series(4, "Catalogue changed", "Books and authors made, changed and deleted per minute.", "short",
           f"{per_second(f'{HTTP}_count', f'{DONE},job=~' + chr(34) + 'bookstore-api' + chr(34) + ',route_class=' + chr(34) + 'catalogue' + chr(34) + ',http_request_method=~' + chr(34) + 'POST|PUT|PATCH|DELETE' + chr(34), 'http_request_method')} * 60",
           "{{http_request_method}}"),
))

SUMMARIES = Row(101, "Summaries", (
    series(5, "Summaries asked for", "Per minute, by how it ended.", "short",
           "{} * 60".format(per_second(f"{HTTP}_count", 'job="bookstore-api",route_class="ai"', "http_response_status_code")), "{{http_response_status_code}}"),
    series(6, "Summaries written", "New ones per minute that were stored on their book; the others were there already.", "short",
           f"{per_second('bookstore_summaries_generated_total', '', PROVIDER)} * 60", f"{{{{{PROVIDER}}}}}"),
    stat(7, "Good ratings", "Share of the ratings of the range shown.", "percentunit",
         'sum(increase(bookstore_summaries_feedback_total{rating="good"}[$__range])) / (sum(increase(bookstore_summaries_feedback_total[$__range])) > 0)', "good", width=8,
         thresholds=()),
    series(8, "Ratings", "Per minute.", "short", f"{per_second('bookstore_summaries_feedback_total', '', 'rating')} * 60", "{{rating}}"),
    series(9, "Answers that pass at once", "Share of the first answers that needed no repair.", "percentunit",
           share_of(rate("bookstore_summaries_output_checks_total", 'answer="first",check="passed"'), rate("bookstore_summaries_output_checks_total", 'answer="first"'), "job"), "passed"),
))

DASHBOARD = Dashboard(
    uid="business",
    title="Business",
    description="What readers and librarians do with the shop.",
    variables=(),
    rows=(READERS, SUMMARIES),
)
