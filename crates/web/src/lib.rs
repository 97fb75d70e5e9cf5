//! HTTP conventions: problems, callers, routes, ETags, pagination.
