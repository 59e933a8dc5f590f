CREATE TABLE "document_passages" (
	"workspace_id" text NOT NULL,
	"document_id" text NOT NULL,
	"number" integer NOT NULL,
	"headings" jsonb NOT NULL,
	"page" integer,
	"text" text NOT NULL,
	"terms" text NOT NULL,
	"vector" "bytea" NOT NULL,
	CONSTRAINT "document_passages_workspace_id_document_id_number_pk" PRIMARY KEY("workspace_id","document_id","number")
);
--> statement-breakpoint
CREATE TABLE "documents" (
	"workspace_id" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"title" text NOT NULL,
	"channel_id" text,
	"format" text NOT NULL,
	"url" text,
	"content_hash" text NOT NULL,
	"bytes" integer NOT NULL,
	"pages" integer,
	"passages" integer NOT NULL,
	"prepared_by" text NOT NULL,
	"added_by" text NOT NULL,
	"added_at" timestamp with time zone NOT NULL,
	"refreshed_at" timestamp with time zone NOT NULL,
	CONSTRAINT "documents_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
ALTER TABLE "document_passages" ADD CONSTRAINT "document_passages_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "document_passages" ADD CONSTRAINT "document_passages_document_fk" FOREIGN KEY ("workspace_id","document_id") REFERENCES "public"."documents"("workspace_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "documents" ADD CONSTRAINT "documents_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "documents_by_name" ON "documents" USING btree ("workspace_id",coalesce("channel_id", ''),"name");