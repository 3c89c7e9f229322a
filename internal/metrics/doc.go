// Package metrics shows what the endpoint does, over HTTP: /metrics for Prometheus, and /healthz and /readyz for whoever
// keeps the endpoint running. Start with [Handler].
//
// What changes with every event is counted by the endpoint itself and read when somebody looks; [State] holds the rest:
// what was last loaded, and whether it was all good.
package metrics
