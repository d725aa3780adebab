/** How data gets here: the lines to type for a model call and for a service's spans. */

import { CommandLine } from "../ui/command-line.tsx";

export function SendTelemetry() {
  const { origin } = window.location;
  return (
    <>
      <CommandLine
        label="Call a model through the gateway"
        lines={[
          `export FAULTLINE_KEY=fl_…  # the key that you signed in with`,
          `curl ${origin}/v1/chat/completions \\`,
          `  -H "authorization: Bearer $FAULTLINE_KEY" -H "content-type: application/json" \\`,
          `  -d '{"model":"simulated","messages":[{"role":"user","content":"hello"}]}'`,
        ]}
      />
      <CommandLine
        label="Send a service's spans (OpenTelemetry, OTLP over HTTP)"
        lines={[
          `export OTEL_EXPORTER_OTLP_ENDPOINT=${origin}`,
          `export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`,
          `export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20$FAULTLINE_KEY"`,
        ]}
      />
      <CommandLine
        label="Or start a small system with a planted fault"
        lines={["npx faultline drill start graphql-n-plus-one"]}
      />
    </>
  );
}
