CREATE TABLE "battle_answers" (
	"workspace_id" text NOT NULL,
	"battle_id" text NOT NULL,
	"item_id" text NOT NULL,
	"person_id" text NOT NULL,
	"person_name" text NOT NULL,
	"choice_id" text NOT NULL,
	"correct" boolean NOT NULL,
	"number" serial NOT NULL,
	"answered_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "battle_answers_battle_id_item_id_person_id_pk" PRIMARY KEY("battle_id","item_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "battles" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"front" text NOT NULL,
	"conversation_id" text NOT NULL,
	"started_by" text NOT NULL,
	"title" text NOT NULL,
	"items" jsonb NOT NULL,
	"round_seconds" integer NOT NULL,
	"round" integer NOT NULL,
	"round_ends_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "front" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "payload" jsonb;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "started_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "done_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "held_by" text;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "held_until" timestamp with time zone;--> statement-breakpoint
-- Events taken in before this were answered then.
UPDATE "deliveries" SET "started_at" = "received_at", "done_at" = "received_at";--> statement-breakpoint
ALTER TABLE "battle_answers" ADD CONSTRAINT "battle_answers_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "battle_answers" ADD CONSTRAINT "battle_answers_battle_id_battles_id_fk" FOREIGN KEY ("battle_id") REFERENCES "public"."battles"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "battles" ADD CONSTRAINT "battles_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "battle_answers_by_person" ON "battle_answers" USING btree ("workspace_id","person_id");--> statement-breakpoint
CREATE INDEX "battles_by_workspace" ON "battles" USING btree ("workspace_id","finished_at");--> statement-breakpoint
CREATE INDEX "deliveries_open" ON "deliveries" USING btree ("front","held_until") WHERE payload is not null;