-- A record of the first schema (m0001_record), as the program of commit 34a26a1 wrote it.
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'scribe','m0001_record','2026-11-21 17:07:54.813827+00:00');
CREATE TABLE channels (
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  name TEXT NOT NULL,
  private INTEGER,                      -- NULL until known: then it counts as private
  member INTEGER,                       -- whether the bot is in it; NULL until known
  archived INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (team, channel)
) STRICT;
INSERT INTO "channels" VALUES('T0SCRIBE','C001PAYMEN','payments',0,1,0);
INSERT INTO "channels" VALUES('T0SCRIBE','C002SECURI','',1,0,0);
CREATE TABLE events (                   -- append-only: no row is ever changed
  incident INTEGER NOT NULL REFERENCES incidents (key),
  seq INTEGER NOT NULL,
  team TEXT NOT NULL,
  name TEXT NOT NULL,
  facts TEXT NOT NULL,                  -- canonical JSON
  digest TEXT NOT NULL,                 -- SHA-256 (salt + words)
  hash TEXT NOT NULL,                   -- SHA-256 over the hash before it, seq, name, facts and digest
  recorded_at TEXT NOT NULL,
  PRIMARY KEY (incident, seq)
) STRICT;
INSERT INTO "events" VALUES(1,1,'T0SCRIBE','started','{"approx":false,"at":"2026-11-21T03:07:00.000000Z","author":"","by":"pac4c09c28206e7e3","drill":false,"entry":1,"onset":"2026-11-21T02:47:00.000000Z","onset_approx":false,"recorded_at":"2026-11-21T03:07:00.000000Z","said_in":"","severity":1,"zone":"Europe/London"}','10cde33098d3d0c0989071f4eee840e9b2135453a360fddd4c1fd7b5473c94c4','d3d280b4ac67b377c09e8eb0b09e764db62766f20231d9f2d51b2e58cd4f610a','2026-11-21T03:07:00.000000Z');
INSERT INTO "events" VALUES(1,2,'T0SCRIBE','note','{"approx":false,"at":"2026-11-21T03:08:00.000000Z","author":"","by":"pac4c09c28206e7e3","entry":2,"recorded_at":"2026-11-21T03:08:00.000000Z","said_in":"","zone":"Europe/London"}','ec715c64262d08d1a64d31dafb7a053027d5965f903da6540f1b46ae28aec111','df1f9b84b646b1cac73f541f73ae080f3ee7931230fab8a720830895ad414ab8','2026-11-21T03:08:00.000000Z');
INSERT INTO "events" VALUES(1,3,'T0SCRIBE','hypothesis','{"approx":false,"at":"2026-11-21T03:09:00.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":3,"recorded_at":"2026-11-21T03:09:00.000000Z","said_in":"","zone":"UTC"}','23d53acc984cfa988a0d79a03fb150b883d1c77e5798c7984bd30d52f86dcae0','a07a2ab1294b56fca6f0067a7862b9f976358b59f2429bc62b58182d02f56cda','2026-11-21T03:09:00.000000Z');
INSERT INTO "events" VALUES(1,4,'T0SCRIBE','action','{"approx":false,"at":"2026-11-21T03:10:00.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":4,"recorded_at":"2026-11-21T03:10:00.000000Z","said_in":"","zone":"UTC"}','937d045859a724d1f5e1a1adc2a7826c65900ab61b7c334c00c2d219acd3a6f7','3a6aadb1b58cbb293a06cd5e677722810dcb226c921e42f0fb219ed447481ce5','2026-11-21T03:10:00.000000Z');
INSERT INTO "events" VALUES(1,5,'T0SCRIBE','note','{"approx":false,"at":"2026-11-21T03:11:00.000000Z","author":"","by":"pac4c09c28206e7e3","entry":5,"recorded_at":"2026-11-21T03:11:00.000000Z","said_in":"","zone":"Europe/London"}','b2a70761e7d5a97ecab42702f11aa04f50d5aed028ab6e95f0afb273034675e3','879042a1deef6c6c0b3fff435f79af2cabe7323222276c591f8f4407e80df87f','2026-11-21T03:11:00.000000Z');
INSERT INTO "events" VALUES(1,6,'T0SCRIBE','redacted','{"by":"pac4c09c28206e7e3","entry":5,"recorded_at":"2026-11-21T03:12:00.000000Z"}','031452ad92cbf3c18f8bb15458e2d4bca18d396631684ee655d43e1078212c9b','90c409629e11c40a711511b50fc5f00ec54589768d3b7a36d4b931cddcca46b7','2026-11-21T03:12:00.000000Z');
INSERT INTO "events" VALUES(1,7,'T0SCRIBE','dead_end','{"approx":false,"at":"2026-11-21T03:13:00.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":6,"hypothesis":3,"recorded_at":"2026-11-21T03:13:00.000000Z","said_in":"","zone":"UTC"}','1f18f82c6d7edb71d7b7d1c204c30f316fa7500c87bc2b796ad2b010b302e482','da8f676c5b4ab97c25ab34fe7a3f9a65bbceb555fa0c65211f60926ee971fbc0','2026-11-21T03:13:00.000000Z');
INSERT INTO "events" VALUES(1,8,'T0SCRIBE','text_corrected','{"by":"pac4c09c28206e7e3","entry":2,"recorded_at":"2026-11-21T03:14:00.000000Z","share":""}','a761007e43d04c0056f2663ea3656684f620020d0108d1a0c0e19a46458f5821','16c19932b864522a26718ef10edbba8e992a0c918d306d469a99b43173d67bdc','2026-11-21T03:14:00.000000Z');
INSERT INTO "events" VALUES(1,9,'T0SCRIBE','task','{"approx":false,"at":"2026-11-21T03:15:00.000000Z","author":"","by":"pac4c09c28206e7e3","category":"prevent","due":"2026-12-01","entry":7,"person":"p09e7a54d87bdc1f7","recorded_at":"2026-11-21T03:15:00.000000Z","said_in":"","task":1,"zone":"Europe/London"}','93a4b72baffbcb41c10a39eb9d66600cc0b3b1b829c12878a68d7ba663de9557','428eaae9f5002a40a4cd08ba55ba5781cf3e83eb7b2f05d762351e039991b43f','2026-11-21T03:15:00.000000Z');
INSERT INTO "events" VALUES(1,10,'T0SCRIBE','cause','{"approx":false,"at":"2026-11-21T03:16:00.000000Z","author":"","by":"pac4c09c28206e7e3","entry":8,"recorded_at":"2026-11-21T03:16:00.000000Z","said_in":"","zone":"Europe/London"}','2c70a0fc38a5ba160200ec3934900c81bcc59a286a8c596360f71522491488be','1a6271ccf2c4311c6539d09d4ddc11bb451c7a39318d041020e66be3abddc496','2026-11-21T03:16:00.000000Z');
INSERT INTO "events" VALUES(1,11,'T0SCRIBE','mitigated','{"approx":false,"at":"2026-11-21T03:17:00.000000Z","author":"","by":"pac4c09c28206e7e3","entry":9,"recorded_at":"2026-11-21T03:17:00.000000Z","said_in":"","zone":"Europe/London"}','ebd5ba7d579eed498d2205ddfd443704a6a3fa2341f22643d699210eac4654a6','abaa714b1e704dc96a73ea5b87b68e685a57492919a6770e76f22f219395b178','2026-11-21T03:17:00.000000Z');
INSERT INTO "events" VALUES(1,12,'T0SCRIBE','undone','{"by":"pac4c09c28206e7e3","recorded_at":"2026-11-21T03:18:00.000000Z","seq":11}','e8f2dba24304a96717abb6df3c5e26aebe69ae42bc77d54dff7cebc94d6b261d','797452f8e59ba6e4f7e12e4f8a29b0e88f61b5c8043af06fbe65551925aacd70','2026-11-21T03:18:00.000000Z');
INSERT INTO "events" VALUES(1,13,'T0SCRIBE','resolution','{"approx":false,"at":"2026-11-21T03:19:00.000000Z","author":"","by":"pac4c09c28206e7e3","entry":10,"recorded_at":"2026-11-21T03:19:00.000000Z","said_in":"","zone":"Europe/London"}','7786e4db0e395030469329f35fad01f910b4f005950943dab9043525e4c9608a','0ff3175f9704dbaee923adae7cd882df265e7ed61a6b6a6f0c89b40485f2d61d','2026-11-21T03:19:00.000000Z');
INSERT INTO "events" VALUES(1,14,'T0SCRIBE','well','{"approx":false,"at":"2026-11-21T03:20:15.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":11,"recorded_at":"2026-11-21T03:20:15.000000Z","said_in":"","zone":"America/New_York"}','0ce05ff41798cce2fa69a8455689546427eea8122733d26aebdfe129868751b4','04db5df9be2a8b245d077f50a1efaaef97cece2e0f89f0b2f9ef305ed0da06da','2026-11-21T03:20:15.000000Z');
INSERT INTO "events" VALUES(1,15,'T0SCRIBE','well','{"approx":false,"at":"2026-11-21T03:50:15.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":12,"recorded_at":"2026-11-21T03:50:15.000000Z","said_in":"","zone":"America/New_York"}','06bedadf2a8b1799b76d07906e90d7bacb747a2295a77cf2405e217b0801d295','b3e8041e1410e4696c19890587e830b8d4e1d7bf20a962a3a3744d1793d37887','2026-11-21T03:50:15.000000Z');
INSERT INTO "events" VALUES(2,1,'T0SCRIBE','started','{"approx":false,"at":"2026-11-21T03:52:15.000000Z","author":"","by":"pac4c09c28206e7e3","drill":false,"entry":1,"onset":"2026-11-21T03:52:15.000000Z","onset_approx":false,"recorded_at":"2026-11-21T03:52:15.000000Z","said_in":"","severity":2,"zone":"Europe/London"}','c2c46a2e4f057e44535d0d6df67fd9d41aa4ed358556f4e244649bf3e9970aae','cc51bf841f59e43c9f593eed9707ae3fe3bd28d2db36197c6655fe5bbdd8ba85','2026-11-21T03:52:15.000000Z');
INSERT INTO "events" VALUES(2,2,'T0SCRIBE','note','{"approx":false,"at":"2026-11-21T03:53:15.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":2,"recorded_at":"2026-11-21T03:53:15.000000Z","said_in":"","zone":"America/New_York"}','54931d44fb9c642d71e916fa797eb30f452f3ece992fdcdba74aa60041783d33','0d08a592f12c66de764372800745ba2fb7f105dc925f46044ad5c74642748848','2026-11-21T03:53:15.000000Z');
INSERT INTO "events" VALUES(2,3,'T0SCRIBE','resolution','{"approx":false,"at":"2026-11-21T03:54:15.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":3,"recorded_at":"2026-11-21T03:54:15.000000Z","said_in":"","zone":"America/New_York"}','1dc0c8aabd7c4c40f3724d609917db14066b76c6ac50c0cbd7be38752d8b2664','b47cc7cbece7ba092f8d527d6b1277bc1dfcbf3494097ef9701057db78291683','2026-11-21T03:54:15.000000Z');
CREATE TABLE incidents (
  key INTEGER PRIMARY KEY,
  team TEXT NOT NULL,
  number INTEGER NOT NULL,
  channel TEXT NOT NULL,
  private INTEGER NOT NULL,
  opened_at TEXT NOT NULL,
  title TEXT NOT NULL,                  -- title, status and severity repeat the record, for lists
  status TEXT NOT NULL,
  severity INTEGER,
  seq INTEGER NOT NULL,                 -- the head of the chain: how many events,
  head TEXT NOT NULL,                   -- the hash of the last one,
  seal TEXT NOT NULL,                   -- and an HMAC over both
  UNIQUE (team, number)
) STRICT;
INSERT INTO "incidents" VALUES(1,'T0SCRIBE',1,'C001PAYMEN',0,'2026-11-21T03:07:00.000000Z','Checkout returns errors','resolved',1,15,'b3e8041e1410e4696c19890587e830b8d4e1d7bf20a962a3a3744d1793d37887','9cddd0999bd17845c8dccc6f66ec44d472339f1cd569c761640c543bc15f227b');
INSERT INTO "incidents" VALUES(2,'T0SCRIBE',2,'C002SECURI',1,'2026-11-21T03:52:15.000000Z','Somebody reads our mail','resolved',2,3,'b47cc7cbece7ba092f8d527d6b1277bc1dfcbf3494097ef9701057db78291683','8a2f8baa40bed235217cac70878aafc98347b5a012205112fae16a8fc2339694');
CREATE TABLE letters (                  -- the outbox: everything that leaves the process
  key INTEGER PRIMARY KEY,
  team TEXT NOT NULL,
  lane TEXT NOT NULL,
  incident INTEGER REFERENCES incidents (key),
  kind TEXT NOT NULL,
  body TEXT NOT NULL,                   -- JSON
  blocking INTEGER NOT NULL,
  due_at TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'leased', 'sent', 'parked', 'dropped')),
  leased_until TEXT,
  lease TEXT,
  error TEXT NOT NULL DEFAULT '',
  settled_at TEXT
) STRICT;
INSERT INTO "letters" VALUES(1,'','workspace',NULL,'learn','{}',0,'2026-11-21T03:06:00.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:06:00.000000Z');
INSERT INTO "letters" VALUES(2,'T0SCRIBE','T0SCRIBE/C001PAYMEN',1,'arrive','{"channel":"C001PAYMEN"}',0,'2026-11-21T03:07:00.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:07:00.000000Z');
INSERT INTO "letters" VALUES(3,'T0SCRIBE','T0SCRIBE/people',NULL,'meet','{"user":"U002BENXXX"}',0,'2026-11-21T03:09:00.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:00.000000Z');
INSERT INTO "letters" VALUES(4,'T0SCRIBE','T0SCRIBE/C001PAYMEN',NULL,'answer','{"channel":"C001PAYMEN","everybody":true,"origin":"offer:3c6e4d9ea1a5a5cc","thread":"","user":"U001ADAXXX"}',0,'2026-11-21T03:12:00.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:00.000000Z');
INSERT INTO "letters" VALUES(5,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'export','{"revision":1,"target":"file"}',0,'2026-11-21T03:19:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:15.000000Z');
INSERT INTO "letters" VALUES(6,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'announce','{"revision":1}',1,'2026-11-21T03:19:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:15.000000Z');
INSERT INTO "letters" VALUES(7,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'export','{"revision":1,"target":"slack_file"}',0,'2026-11-21T03:19:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:15.000000Z');
INSERT INTO "letters" VALUES(8,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'export','{"revision":2,"target":"file"}',0,'2026-11-21T03:30:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:30:15.000000Z');
INSERT INTO "letters" VALUES(9,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'announce','{"revision":2}',1,'2026-11-21T03:30:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:30:15.000000Z');
INSERT INTO "letters" VALUES(10,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'discard','{"file":"F3PYB4XLN5C"}',0,'2026-11-21T03:30:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:30:15.000000Z');
INSERT INTO "letters" VALUES(11,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'export','{"revision":2,"target":"slack_file"}',0,'2026-11-21T03:30:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:30:15.000000Z');
INSERT INTO "letters" VALUES(12,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'discard','{"file":"FL956M458MS"}',0,'2026-11-21T03:30:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:30:15.000000Z');
INSERT INTO "letters" VALUES(13,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'export','{"revision":3,"target":"file"}',0,'2026-11-21T04:00:15.000000Z',0,'waiting',NULL,NULL,'',NULL);
INSERT INTO "letters" VALUES(14,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'announce','{"revision":3}',1,'2026-11-21T04:00:15.000000Z',0,'waiting',NULL,NULL,'',NULL);
INSERT INTO "letters" VALUES(15,'T0SCRIBE','T0SCRIBE/C002SECURI',2,'arrive','{"channel":"C002SECURI"}',0,'2026-11-21T03:52:15.000000Z',1,'parked',NULL,NULL,'Scribe cannot see the channel: it is private, or gone. Type /invite @Scribe in the channel.','2026-11-21T03:52:15.000000Z');
INSERT INTO "letters" VALUES(16,'T0SCRIBE','T0SCRIBE/INC-2/draft',2,'export','{"revision":1,"target":"file"}',0,'2026-11-21T03:54:30.000000Z',1,'leased','2026-11-21T03:55:35.000000Z','7d35e1b44998f31f','',NULL);
INSERT INTO "letters" VALUES(17,'T0SCRIBE','T0SCRIBE/INC-2/draft',2,'announce','{"revision":1}',1,'2026-11-21T03:54:30.000000Z',0,'waiting',NULL,NULL,'',NULL);
CREATE TABLE offers (                   -- lines that wait for a tap, kept for 24 hours
  key TEXT PRIMARY KEY,
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  incident INTEGER,                     -- the number of the incident that the line is about, if there was one
  by TEXT NOT NULL,                     -- who may tap; '' for everybody
  line TEXT NOT NULL,
  said_at TEXT NOT NULL,
  choices TEXT NOT NULL,                -- JSON
  mentions TEXT NOT NULL,               -- JSON
  chosen INTEGER
) STRICT;
INSERT INTO "offers" VALUES('3c6e4d9ea1a5a5cc','T0SCRIBE','C001PAYMEN',1,'pac4c09c28206e7e3','','2026-11-21T03:12:00.000000Z','[]','{}',0);
INSERT INTO "offers" VALUES('f48dc7198711925a','T0SCRIBE','C001PAYMEN',1,'','','2026-11-21T03:16:00.000000Z','[{"confirmed":false,"label":"It is a guess","line":"edit INC-1: 8 as hypothesis","undoes":0}]','{}',NULL);
INSERT INTO "offers" VALUES('c39faf42028ef10f','T0SCRIBE','C001PAYMEN',1,'pac4c09c28206e7e3','','2026-11-21T03:19:00.000000Z','[{"confirmed":false,"label":"Undo","line":"","undoes":13}]','{}',NULL);
INSERT INTO "offers" VALUES('45e54a009d49a59c','T0SCRIBE','C001PAYMEN',1,'p09e7a54d87bdc1f7','','2026-11-21T03:20:15.000000Z','[{"confirmed":false,"label":"Make it a note","line":"note well everybody was there within minutes","undoes":14}]','{}',NULL);
INSERT INTO "offers" VALUES('f7ee153d6c05a8cd','T0SCRIBE','C001PAYMEN',1,'p09e7a54d87bdc1f7','','2026-11-21T03:50:15.000000Z','[{"confirmed":false,"label":"Make it a note","line":"note well and the runbook helped","undoes":15}]','{}',NULL);
INSERT INTO "offers" VALUES('d2b7b0f733837a24','T0SCRIBE','C001PAYMEN',1,'pac4c09c28206e7e3','rolled back deploy 4711','2026-11-21T03:51:15.000000Z','[{"confirmed":false,"label":"Action","line":"action rolled back deploy 4711","undoes":0},{"confirmed":false,"label":"Note","line":"note rolled back deploy 4711","undoes":0},{"confirmed":false,"label":"Ruled out","line":"ruledout rolled back deploy 4711","undoes":0}]','{}',NULL);
INSERT INTO "offers" VALUES('b7d91f8d03eb844a','T0SCRIBE','C002SECURI',2,'p09e7a54d87bdc1f7','','2026-11-21T03:54:15.000000Z','[{"confirmed":false,"label":"Undo","line":"","undoes":3}]','{}',NULL);
CREATE TABLE people (                   -- events name people by key; this is the only place that says who that is
  key TEXT PRIMARY KEY,
  team TEXT NOT NULL,
  slack_user TEXT NOT NULL,
  name TEXT NOT NULL,
  zone TEXT,                            -- IANA name, NULL until known
  learned_at TEXT,
  UNIQUE (team, slack_user)
) STRICT;
INSERT INTO "people" VALUES('pac4c09c28206e7e3','T0SCRIBE','U001ADAXXX','Ada','Europe/London','2026-11-21T03:07:00.000000Z');
INSERT INTO "people" VALUES('p09e7a54d87bdc1f7','T0SCRIBE','U002BENXXX','Ben','America/New_York','2026-11-21T03:19:00.000000Z');
CREATE TABLE receipts (                 -- where the newest revision of a document stands, per way out
  incident INTEGER NOT NULL REFERENCES incidents (key),
  target TEXT NOT NULL,
  team TEXT NOT NULL,
  revision INTEGER NOT NULL,
  receipt TEXT NOT NULL,                -- JSON
  PRIMARY KEY (incident, target)
) STRICT;
INSERT INTO "receipts" VALUES(1,'file','T0SCRIBE',2,'{"path":"/srv/scribe/postmortems/0001-checkout-returns-errors.r2.md"}');
INSERT INTO "receipts" VALUES(1,'post','T0SCRIBE',2,'{"channel":"C001PAYMEN","picture":"F6WFMSQW9U9","pictured":2,"texts":["1795231155.000300"],"ts":"1795231155.000100"}');
INSERT INTO "receipts" VALUES(1,'slack_file','T0SCRIBE',2,'{"file":"FR11A6JPRN9","link":"https://example.slack.com/files/U0SCRIBE/FR11A6JPRN9/0001-checkout-returns-errors.r2.md","name":"0001-checkout-returns-errors.r2.md"}');
CREATE TABLE requests (                 -- every request heard, with its outcome: a redelivery is answered alike
  team TEXT NOT NULL,
  origin TEXT NOT NULL,
  heard_at TEXT NOT NULL,
  outcome TEXT NOT NULL,                -- JSON, without anybody's words where an event holds them
  PRIMARY KEY (team, origin)
) STRICT;
INSERT INTO "requests" VALUES('T0SCRIBE','1795230420.000001.2059280972e093d4452a5db36a29f380','2026-11-21T03:07:00.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"","seqs":[1]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795230480.000002.a18e3ce594e20f5004cd4a756e39793c','2026-11-21T03:08:00.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"","seqs":[2]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795230540.000003.04f07558ef3c78cfd0923b10ef169a26','2026-11-21T03:09:00.000000Z','{"by":"p09e7a54d87bdc1f7","incident":1,"kind":"recorded","offer":"","seqs":[3]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795230600.000004.37c24d8f1141ab2bfaccb6b044673eb7','2026-11-21T03:10:00.000000Z','{"by":"p09e7a54d87bdc1f7","incident":1,"kind":"recorded","offer":"","seqs":[4]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795230660.000005.8bddcd1431d2b70c055a7db5411047e7','2026-11-21T03:11:00.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"","seqs":[5]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795230720.000006.c4fd4dfb1f3f73a144dc9e1f1091502e','2026-11-21T03:12:00.000000Z','{"hint":"Nothing is changed yet.","kind":"asked","message":"Destroy the text of entry 5 for good? Its time, kind and author stay; nobody can bring the text back. What Slack still shows in the channel you delete there yourself.","offer":"3c6e4d9ea1a5a5cc"}');
INSERT INTO "requests" VALUES('T0SCRIBE','offer:3c6e4d9ea1a5a5cc','2026-11-21T03:12:00.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"","seqs":[6]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795230780.000008.f58699c75a11679d3cf552d617c082ef','2026-11-21T03:13:00.000000Z','{"by":"p09e7a54d87bdc1f7","incident":1,"kind":"recorded","offer":"","seqs":[7]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795230840.000009.b91f6b0f6d32e913b814fb776e51b9ba','2026-11-21T03:14:00.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"","seqs":[8]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795230900.000010.7cdc5a4e230be5f302c4309b129613fc','2026-11-21T03:15:00.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"","seqs":[9]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795230960.000011.648e165e4cab3847c5a512e8c0edd657','2026-11-21T03:16:00.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"f48dc7198711925a","seqs":[10]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795231020.000012.5c36b060c79fcdda61b91d668589dd4d','2026-11-21T03:17:00.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"","seqs":[11]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795231080.000013.69c1f0352b8a0f3bfcd309ef8c6df90b','2026-11-21T03:18:00.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"","seqs":[12]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795231140.000014.936c4ad70c111c76119ce21044d6862b','2026-11-21T03:19:00.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"c39faf42028ef10f","seqs":[13]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795231215.000015.4193caaaf1f563203b20a294c25cf17d','2026-11-21T03:20:15.000000Z','{"by":"p09e7a54d87bdc1f7","incident":1,"kind":"recorded","offer":"45e54a009d49a59c","seqs":[14]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233015.000016.0c7e909604f4bd07493e7a652e68084a','2026-11-21T03:50:15.000000Z','{"by":"p09e7a54d87bdc1f7","incident":1,"kind":"recorded","offer":"f7ee153d6c05a8cd","seqs":[15]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233075.000017.b08b6f685d8df0eec499c2e187387f7f','2026-11-21T03:51:15.000000Z','{"hint":"Or did you mean “role”? Then type /incident role …","kind":"asked","message":"“rolled” is no verb. Nothing is recorded yet.","offer":"d2b7b0f733837a24"}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233135.000018.4bac2351ecb050016b9ab878023e4523','2026-11-21T03:52:15.000000Z','{"by":"pac4c09c28206e7e3","incident":2,"kind":"recorded","offer":"","seqs":[1]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233195.000019.3a317c18163a4c6b39ded12b2d047304','2026-11-21T03:53:15.000000Z','{"by":"p09e7a54d87bdc1f7","incident":2,"kind":"recorded","offer":"","seqs":[2]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233255.000020.3992f2c9be9850f0de776115e495e6b5','2026-11-21T03:54:15.000000Z','{"by":"p09e7a54d87bdc1f7","incident":2,"kind":"recorded","offer":"b7d91f8d03eb844a","seqs":[3]}');
CREATE TABLE revisions (                -- numbered states of an incident's document
  incident INTEGER NOT NULL REFERENCES incidents (key),
  revision INTEGER NOT NULL,
  team TEXT NOT NULL,
  upto INTEGER NOT NULL,                -- the event that it reaches to
  pinned INTEGER NOT NULL DEFAULT 0,    -- 1 once something of it has left: upto then never moves
  PRIMARY KEY (incident, revision)
) STRICT;
INSERT INTO "revisions" VALUES(1,1,'T0SCRIBE',13,1);
INSERT INTO "revisions" VALUES(1,2,'T0SCRIBE',14,1);
INSERT INTO "revisions" VALUES(1,3,'T0SCRIBE',15,0);
INSERT INTO "revisions" VALUES(2,1,'T0SCRIBE',3,0);
CREATE TABLE teams (                    -- the workspaces whose requests are answered
  team TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  bot_user TEXT NOT NULL,
  bot_id TEXT NOT NULL,
  url TEXT NOT NULL,
  learned_at TEXT NOT NULL
) STRICT;
INSERT INTO "teams" VALUES('T0SCRIBE','Example','U0SCRIBE','B0SCRIBE','https://example.slack.com/','2026-11-21T03:06:00.000000Z');
CREATE TABLE words (                    -- what people wrote, beside the chain: a row may be destroyed
  incident INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  team TEXT NOT NULL,
  entry INTEGER,                        -- the entry whose words these are, if any
  salt TEXT NOT NULL,
  words TEXT NOT NULL,                  -- canonical JSON
  PRIMARY KEY (incident, seq),
  FOREIGN KEY (incident, seq) REFERENCES events (incident, seq)
) STRICT;
INSERT INTO "words" VALUES(1,1,'T0SCRIBE',1,'5594aa6b342f5d0a3a5e4842fab428f7','{"text":"Checkout returns errors"}');
INSERT INTO "words" VALUES(1,2,'T0SCRIBE',2,'78c3a967b36711eb3906a7c8603d71d4','{"text":"CPU is at 100 %"}');
INSERT INTO "words" VALUES(1,3,'T0SCRIBE',3,'0442027aaf1fa95b7f86589578df43e4','{"text":"the connection pool is too small"}');
INSERT INTO "words" VALUES(1,4,'T0SCRIBE',4,'13167ae8d9dceb37762833811a71a723','{"text":"restarted the primary – no effect"}');
INSERT INTO "words" VALUES(1,6,'T0SCRIBE',5,'f72e2140c304bdfc6a21e5e812175688','{}');
INSERT INTO "words" VALUES(1,7,'T0SCRIBE',6,'35d497fb212b86b49e656acf0641169a','{"text":"a larger pool changed nothing"}');
INSERT INTO "words" VALUES(1,8,'T0SCRIBE',2,'0b59f4e629439f25d9d4654fec8d4819','{"added":[],"removed":[],"text":"CPU is at 100 % on all four hosts"}');
INSERT INTO "words" VALUES(1,9,'T0SCRIBE',7,'fb40d6bab2c8e0121c441ae614a7b8d9','{"owner":"@ben","text":"alert on pool exhaustion"}');
INSERT INTO "words" VALUES(1,10,'T0SCRIBE',8,'2a9219af1ece87545758de781ef34f8f','{"text":"The pool had 20 connections for 40 workers."}');
INSERT INTO "words" VALUES(1,11,'T0SCRIBE',9,'a2e2256f5544f250b916639cbfc9f2a3','{"text":""}');
INSERT INTO "words" VALUES(1,12,'T0SCRIBE',NULL,'bc17bbe948a75834c18373f70431728d','{}');
INSERT INTO "words" VALUES(1,13,'T0SCRIBE',10,'06501d7a135a54719ef384dd9a6e7785','{"text":"Back to normal"}');
INSERT INTO "words" VALUES(1,14,'T0SCRIBE',11,'4c0a29d3d0e3f8c881160cabe56b11a0','{"text":"everybody was there within minutes"}');
INSERT INTO "words" VALUES(1,15,'T0SCRIBE',12,'ccc5e9304fc1c1ea4f6248912e96c138','{"text":"and the runbook helped"}');
INSERT INTO "words" VALUES(2,1,'T0SCRIBE',1,'7d2b9dcdc163018b4422ae72c3ed5917','{"text":"Somebody reads our mail"}');
INSERT INTO "words" VALUES(2,2,'T0SCRIBE',2,'2219ef5160b805e0d66508828e117bff','{"text":"the log shows a login from elsewhere"}');
INSERT INTO "words" VALUES(2,3,'T0SCRIBE',3,'8b32ceee02e6417d1137eb1beb9d2b4d','{"text":"The account is closed"}');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX incidents_by_channel ON incidents (team, channel, number);
CREATE INDEX requests_by_age ON requests (heard_at);
CREATE INDEX offers_by_age ON offers (said_at);
CREATE INDEX letters_to_send ON letters (due_at, key) WHERE state IN ('waiting', 'leased');
CREATE INDEX letters_by_lane ON letters (lane, key) WHERE state IN ('waiting', 'leased');
CREATE INDEX letters_by_incident ON letters (incident, kind);
COMMIT;
