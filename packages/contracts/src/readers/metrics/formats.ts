/** The formats of metrics. */

import { type EvidenceFormat, startsAsJson } from "../format.ts";
import { ExpositionReading, readExposition, recogniseExposition } from "./exposition.ts";
import { readMetricTable, recogniseMetricTable, TableTextReading } from "./metric-table.ts";
import { readPrometheusJson, recognisePrometheusJson } from "./prometheus-json.ts";
import { readSeriesMap, recogniseSeriesMap } from "./series-map.ts";
import { MetricTextStream } from "./text-stream.ts";

export const metricFormats: readonly EvidenceFormat[] = [
  {
    name: "prometheus-json",
    description: "answers of Prometheus' query API as JSON",
    recognise: ({ head }) => startsAsJson(head) && recognisePrometheusJson(head),
    read: readPrometheusJson,
  },
  {
    name: "series-json",
    description: "metrics as an object of JSON with times and values under each name",
    recognise: ({ head }) => startsAsJson(head) && recogniseSeriesMap(head),
    read: readSeriesMap,
  },
  {
    name: "metrics-text",
    description: "metrics as text, in the format of Prometheus or OpenMetrics",
    recognise: ({ head }) => head !== undefined && recogniseExposition(head),
    read: (input) => readExposition(input.text()),
    open: () => new MetricTextStream(new ExpositionReading()),
  },
  {
    name: "metrics-csv",
    description: "metrics as a table with a column of times, long or wide",
    recognise: ({ head }) => head !== undefined && recogniseMetricTable(head),
    read: readMetricTable,
    open: ({ name }) => new MetricTextStream(new TableTextReading(name)),
  },
];
