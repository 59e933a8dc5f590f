-- Figures of a run say which kind they are. Until now all were of a classifier.
UPDATE "runs" SET "metrics" = "metrics" || '{"kind": "classification"}'::jsonb
WHERE "metrics" IS NOT NULL AND NOT "metrics" ? 'kind';--> statement-breakpoint
UPDATE "runs" SET "result" = jsonb_set("result", '{metrics,kind}', '"classification"')
WHERE "result" ? 'metrics' AND NOT "result"->'metrics' ? 'kind';--> statement-breakpoint
UPDATE "run_events" SET "event" = jsonb_set("event", '{metrics,kind}', '"classification"')
WHERE "event" ? 'metrics' AND NOT "event"->'metrics' ? 'kind';
