"""What schemathesis is told about HTTP that OpenAPI cannot say."""

import schemathesis

UNKNOWN_HEADER = "x-schemathesis-unknown-property"
SHORTEST_MS = 5_000


@schemathesis.hook
def filter_case(context, case):
    """An unknown header is no fault: every HTTP server has to pass over it."""
    return UNKNOWN_HEADER not in (case.headers or {})


@schemathesis.hook
def before_call(context, case, kwargs):
    """
    A key that was sent with another body is refused, rightly: random keys repeat themselves, real ones do not.
    So is a request whose own deadline was too short.
    """
    headers = case.headers
    if headers is None:
        return
    if "Idempotency-Key" in headers:
        del headers["Idempotency-Key"]
    deadline = str(headers.get("x-sluice-deadline-ms", ""))
    if deadline.isdigit() and 0 < int(deadline) < SHORTEST_MS:
        del headers["x-sluice-deadline-ms"]
