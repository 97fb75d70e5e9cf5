//! What every service's main needs: config, telemetry, lifecycle, listener, health.
