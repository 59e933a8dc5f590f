CREATE TABLE "feedback" (
	"workspace_id" text NOT NULL,
	"question_id" integer NOT NULL,
	"person_id" text NOT NULL,
	"helpful" boolean NOT NULL,
	"reason" text,
	"given_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "feedback_question_id_person_id_pk" PRIMARY KEY("question_id","person_id")
);
--> statement-breakpoint
ALTER TABLE "feedback" ADD CONSTRAINT "feedback_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "feedback" ADD CONSTRAINT "feedback_question_id_questions_id_fk" FOREIGN KEY ("question_id") REFERENCES "public"."questions"("id") ON DELETE no action ON UPDATE no action;