//! Whether an `x-envoy-*` request field is well formed (`strict_check_headers`).

use xds::model::RetryCondition;

/// Whether `value` is what the field `name` may hold.
pub(super) fn is_valid(name: &str, value: &str) -> bool {
    let list = |grpc: bool| {
        value
            .split(',')
            .map(str::trim)
            .all(|item| RetryCondition::named(item).is_some_and(|condition| is_grpc(condition) == grpc))
    };
    match name {
        "x-envoy-retry-on" => list(false),
        "x-envoy-retry-grpc-on" => list(true),
        "x-envoy-upstream-rq-timeout-ms"
        | "x-envoy-upstream-rq-per-try-timeout-ms"
        | "x-envoy-max-retries" => value.parse::<u64>().is_ok(),
        // Any other name is refused by the configuration's decoder.
        _ => true,
    }
}

fn is_grpc(condition: RetryCondition) -> bool {
    use RetryCondition as C;
    matches!(
        condition,
        C::GrpcCancelled
            | C::GrpcDeadlineExceeded
            | C::GrpcInternal
            | C::GrpcResourceExhausted
            | C::GrpcUnavailable
    )
}
