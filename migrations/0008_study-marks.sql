CREATE TABLE "study_marks" (
	"workspace_id" text NOT NULL,
	"person_id" text NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"marked_at" timestamp with time zone NOT NULL,
	CONSTRAINT "study_marks_workspace_id_person_id_kind_key_pk" PRIMARY KEY("workspace_id","person_id","kind","key")
);
--> statement-breakpoint
ALTER TABLE "study_marks" ADD CONSTRAINT "study_marks_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE no action ON UPDATE no action;