CREATE TABLE "review_cards" (
	"workspace_id" text NOT NULL,
	"person_id" text NOT NULL,
	"item_id" text NOT NULL,
	"stability" double precision NOT NULL,
	"difficulty" double precision NOT NULL,
	"interval_days" integer NOT NULL,
	"reps" integer NOT NULL,
	"lapses" integer NOT NULL,
	"correct" boolean NOT NULL,
	"answered_at" timestamp with time zone NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	CONSTRAINT "review_cards_workspace_id_person_id_item_id_pk" PRIMARY KEY("workspace_id","person_id","item_id")
);
--> statement-breakpoint
ALTER TABLE "quiz_sessions" ALTER COLUMN "chapter_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "review_cards" ADD CONSTRAINT "review_cards_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "review_cards_by_due" ON "review_cards" USING btree ("workspace_id","due_at");