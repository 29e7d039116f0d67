-- A record of the second schema (m0002_delivery), as the program of commit 6bf400e wrote it.
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'scribe','m0001_record','2026-11-21 17:08:09.306875+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'scribe','m0002_delivery','2026-11-21 17:08:09.308986+00:00');
CREATE TABLE channels (
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  name TEXT NOT NULL,
  private INTEGER,                      -- NULL until known: then it counts as private
  member INTEGER,                       -- whether the bot is in it; NULL until known
  archived INTEGER NOT NULL DEFAULT 0, shared INTEGER, looked_at TEXT,
  PRIMARY KEY (team, channel)
) STRICT;
INSERT INTO "channels" VALUES('T0SCRIBE','C001PAYMEN','payments',0,1,0,0,'2026-11-21T03:07:00.000000Z');
INSERT INTO "channels" VALUES('T0SCRIBE','C002SECURI','',1,0,0,NULL,'2026-11-21T03:52:20.000000Z');
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
INSERT INTO "events" VALUES(1,1,'T0SCRIBE','started','{"approx":false,"at":"2026-11-21T03:07:00.000000Z","author":"","by":"pac4c09c28206e7e3","drill":false,"entry":1,"new_channel":false,"onset":"2026-11-21T02:47:00.000000Z","onset_approx":false,"recorded_at":"2026-11-21T03:07:00.000000Z","said_in":"","severity":1,"zone":"Europe/London"}','10cde33098d3d0c0989071f4eee840e9b2135453a360fddd4c1fd7b5473c94c4','bfd8f36f01eb9551449f7557b524206553e0cd8773a131d0c487ce48de475adf','2026-11-21T03:07:00.000000Z');
INSERT INTO "events" VALUES(1,2,'T0SCRIBE','note','{"approx":false,"at":"2026-11-21T03:08:00.000000Z","author":"","by":"pac4c09c28206e7e3","entry":2,"recorded_at":"2026-11-21T03:08:00.000000Z","said_in":"","zone":"Europe/London"}','ec715c64262d08d1a64d31dafb7a053027d5965f903da6540f1b46ae28aec111','3ad419236eec1a7ae0cac66a0971846043e5fd91c782bcf3767ecaf1d3cf25f7','2026-11-21T03:08:00.000000Z');
INSERT INTO "events" VALUES(1,3,'T0SCRIBE','hypothesis','{"approx":false,"at":"2026-11-21T03:09:00.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":3,"recorded_at":"2026-11-21T03:09:00.000000Z","said_in":"","zone":"UTC"}','23d53acc984cfa988a0d79a03fb150b883d1c77e5798c7984bd30d52f86dcae0','d6be198371629e80eb4f0499e680ee8f7e3ddddae8d7ac125d164de3b341529f','2026-11-21T03:09:00.000000Z');
INSERT INTO "events" VALUES(1,4,'T0SCRIBE','action','{"approx":false,"at":"2026-11-21T03:10:00.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":4,"recorded_at":"2026-11-21T03:10:00.000000Z","said_in":"","zone":"UTC"}','937d045859a724d1f5e1a1adc2a7826c65900ab61b7c334c00c2d219acd3a6f7','f0f1cfa949574e2602a5cc744030180db921828568e90a606502328710d6242a','2026-11-21T03:10:00.000000Z');
INSERT INTO "events" VALUES(1,5,'T0SCRIBE','note','{"approx":false,"at":"2026-11-21T03:11:00.000000Z","author":"","by":"pac4c09c28206e7e3","entry":5,"recorded_at":"2026-11-21T03:11:00.000000Z","said_in":"","zone":"Europe/London"}','b2a70761e7d5a97ecab42702f11aa04f50d5aed028ab6e95f0afb273034675e3','1e4469bc634ca377768c5ee2c50ad4a5a3eef23d14b3679146fee0c5966b7974','2026-11-21T03:11:00.000000Z');
INSERT INTO "events" VALUES(1,6,'T0SCRIBE','redacted','{"by":"pac4c09c28206e7e3","entry":5,"recorded_at":"2026-11-21T03:12:00.000000Z"}','031452ad92cbf3c18f8bb15458e2d4bca18d396631684ee655d43e1078212c9b','c0f1dd966b93c5a90d7bcd9be7999aabe3c6c735ebaaeacf364113aab912db2a','2026-11-21T03:12:00.000000Z');
INSERT INTO "events" VALUES(1,7,'T0SCRIBE','dead_end','{"approx":false,"at":"2026-11-21T03:13:00.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":6,"hypothesis":3,"recorded_at":"2026-11-21T03:13:00.000000Z","said_in":"","zone":"UTC"}','1f18f82c6d7edb71d7b7d1c204c30f316fa7500c87bc2b796ad2b010b302e482','10f63999b018e15a914b062a21c6de4ce5e0f59ff479bc8b1db59bdc8fbd4ef7','2026-11-21T03:13:00.000000Z');
INSERT INTO "events" VALUES(1,8,'T0SCRIBE','text_corrected','{"by":"pac4c09c28206e7e3","entry":2,"recorded_at":"2026-11-21T03:14:00.000000Z","share":""}','a761007e43d04c0056f2663ea3656684f620020d0108d1a0c0e19a46458f5821','e0c67eb4d9697b3bce5ce7f3d79fa93d9c287d4c4a2529c77a4743825883688a','2026-11-21T03:14:00.000000Z');
INSERT INTO "events" VALUES(1,9,'T0SCRIBE','task','{"approx":false,"at":"2026-11-21T03:15:00.000000Z","author":"","by":"pac4c09c28206e7e3","category":"prevent","due":"2026-12-01","entry":7,"person":"p09e7a54d87bdc1f7","public":false,"recorded_at":"2026-11-21T03:15:00.000000Z","said_in":"","task":1,"zone":"Europe/London"}','93a4b72baffbcb41c10a39eb9d66600cc0b3b1b829c12878a68d7ba663de9557','6a7da9133c23b7ce138e5d8e339776877ade6a5a12832ce3ab53b6432e5afd69','2026-11-21T03:15:00.000000Z');
INSERT INTO "events" VALUES(1,10,'T0SCRIBE','cause','{"approx":false,"at":"2026-11-21T03:16:00.000000Z","author":"","by":"pac4c09c28206e7e3","entry":8,"recorded_at":"2026-11-21T03:16:00.000000Z","said_in":"","zone":"Europe/London"}','2c70a0fc38a5ba160200ec3934900c81bcc59a286a8c596360f71522491488be','5c3e4b7a20559c050959b7853b1a2898742bbd2f3ce9f4e58569af37270092f3','2026-11-21T03:16:00.000000Z');
INSERT INTO "events" VALUES(1,11,'T0SCRIBE','mitigated','{"approx":false,"at":"2026-11-21T03:17:00.000000Z","author":"","by":"pac4c09c28206e7e3","entry":9,"recorded_at":"2026-11-21T03:17:00.000000Z","said_in":"","zone":"Europe/London"}','ebd5ba7d579eed498d2205ddfd443704a6a3fa2341f22643d699210eac4654a6','08b8a4c58e4958936014301112a0e54065794d5adea4964031357ad5261dbaf3','2026-11-21T03:17:00.000000Z');
INSERT INTO "events" VALUES(1,12,'T0SCRIBE','undone','{"by":"pac4c09c28206e7e3","recorded_at":"2026-11-21T03:18:00.000000Z","seq":11}','e8f2dba24304a96717abb6df3c5e26aebe69ae42bc77d54dff7cebc94d6b261d','b5cb7a5af07a297bd2e6a832cd3d6b81ae63f172982f677dc257a581469c0936','2026-11-21T03:18:00.000000Z');
INSERT INTO "events" VALUES(1,13,'T0SCRIBE','resolution','{"approx":false,"at":"2026-11-21T03:19:00.000000Z","author":"","by":"pac4c09c28206e7e3","entry":10,"recorded_at":"2026-11-21T03:19:00.000000Z","said_in":"","zone":"Europe/London"}','7786e4db0e395030469329f35fad01f910b4f005950943dab9043525e4c9608a','889483d15164520518011502dbb0afa5604f809d55667790864acdb72cd5c845','2026-11-21T03:19:00.000000Z');
INSERT INTO "events" VALUES(1,14,'T0SCRIBE','well','{"approx":false,"at":"2026-11-21T03:20:18.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":11,"recorded_at":"2026-11-21T03:20:18.000000Z","said_in":"","zone":"America/New_York"}','d3ef19aea8aff6cd35bfed3c49c6db3c225fb7e6a61404c2fc19b2c5c78e3e92','2b071c4dd4c1fb79448644096bcf640e45fcee5f3a27764dc0c1b0550b6ac1e3','2026-11-21T03:20:18.000000Z');
INSERT INTO "events" VALUES(1,15,'T0SCRIBE','well','{"approx":false,"at":"2026-11-21T03:50:20.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":12,"recorded_at":"2026-11-21T03:50:20.000000Z","said_in":"","zone":"America/New_York"}','94ed9b39db2e4e88c29d3bd1f4fbdbeab132fbfdf81e5d1b149be61d4d3d6fca','a7d0b1c1b5ad442894930c6c939e6dd301b1a7fe84cfbc78fa218e6c964b1343','2026-11-21T03:50:20.000000Z');
INSERT INTO "events" VALUES(2,1,'T0SCRIBE','started','{"approx":false,"at":"2026-11-21T03:52:20.000000Z","author":"","by":"pac4c09c28206e7e3","drill":false,"entry":1,"new_channel":false,"onset":"2026-11-21T03:52:20.000000Z","onset_approx":false,"recorded_at":"2026-11-21T03:52:20.000000Z","said_in":"","severity":2,"zone":"Europe/London"}','694a2c230dcd3b57a57abf098690d5de90f1917bceb163c5a97e3a542a5e0cd1','5f6e8ce12bf5bfea506ee5573febc66dc02ba9b352dfd23735d38b62de48063b','2026-11-21T03:52:20.000000Z');
INSERT INTO "events" VALUES(2,2,'T0SCRIBE','note','{"approx":false,"at":"2026-11-21T03:53:20.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":2,"recorded_at":"2026-11-21T03:53:20.000000Z","said_in":"","zone":"America/New_York"}','0cdb2058bcc2a05683ccdfd5714e70f3433eeef720a766efdcdb85bf06aba790','77f1bbf84e696c8fb5e4569ed0e831e7ca106836d99b04e00eff31b8acd0f10e','2026-11-21T03:53:20.000000Z');
INSERT INTO "events" VALUES(2,3,'T0SCRIBE','resolution','{"approx":false,"at":"2026-11-21T03:54:20.000000Z","author":"","by":"p09e7a54d87bdc1f7","entry":3,"recorded_at":"2026-11-21T03:54:20.000000Z","said_in":"","zone":"America/New_York"}','f2ada74c494ebe91b1c59224d4f3e79a219f6bee1c3c7189396777a31dc6dae2','d09445b0c39cd84c4d0f50fc4ec41dba6edf29a3a4d40f44199e5e7a80855e25','2026-11-21T03:54:20.000000Z');
INSERT INTO "events" VALUES(1,16,'T0SCRIBE','shared_to','{"by":"pac4c09c28206e7e3","channel":"C002SECURI","recorded_at":"2026-11-21T03:55:20.000000Z"}','78d09c4455b54b71f10f26f24a914f6d15a98a3b9657aa2f4f5835951a42ac80','11d47d1ff30ad941e2ea0af296d42e02c3008ddff9d3dbd154092d6ed1b9297e','2026-11-21T03:55:20.000000Z');
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
INSERT INTO "incidents" VALUES(1,'T0SCRIBE',1,'C001PAYMEN',0,'2026-11-21T03:07:00.000000Z','Checkout returns errors','resolved',1,16,'11d47d1ff30ad941e2ea0af296d42e02c3008ddff9d3dbd154092d6ed1b9297e','bbf5019d018752094258183ba8154245074df490a1cc465399c182e6eff6559f');
INSERT INTO "incidents" VALUES(2,'T0SCRIBE',2,'C002SECURI',1,'2026-11-21T03:52:20.000000Z','Somebody reads our mail','resolved',2,3,'d09445b0c39cd84c4d0f50fc4ec41dba6edf29a3a4d40f44199e5e7a80855e25','e15d9a16f6ce21ee19c095ed1af4abb29a441a398bf3e1f42cf1891014090023');
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
, about TEXT, unsure INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "letters" VALUES(1,'','workspace',NULL,'learn','{}',0,'2026-11-21T03:06:00.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:06:00.000000Z',NULL,1);
INSERT INTO "letters" VALUES(2,'T0SCRIBE','T0SCRIBE/C001PAYMEN',1,'arrive','{"channel":"C001PAYMEN"}',0,'2026-11-21T03:07:00.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:07:00.000000Z',NULL,1);
INSERT INTO "letters" VALUES(3,'T0SCRIBE','T0SCRIBE/people',NULL,'meet','{"user":"U002BENXXX"}',0,'2026-11-21T03:09:00.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:00.000000Z',NULL,1);
INSERT INTO "letters" VALUES(4,'T0SCRIBE','T0SCRIBE/U001ADAXXX',1,'hint','{"blame":[],"channel":"C001PAYMEN","secrets":[[16,31,"This looks like what belongs to “password”. Everybody who reads this channel or the document can use it.","redact <n>, and change it where it is used: it may have been copied already."]],"seq":5,"thread":"","user":"U001ADAXXX"}',0,'2026-11-21T03:11:00.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:00.000000Z',NULL,1);
INSERT INTO "letters" VALUES(5,'T0SCRIBE','T0SCRIBE/C001PAYMEN',1,'answer','{"channel":"C001PAYMEN","everybody":true,"origin":"offer:3c6e4d9ea1a5a5cc","thread":"","user":"U001ADAXXX"}',1,'2026-11-21T03:12:00.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:00.000000Z',NULL,1);
INSERT INTO "letters" VALUES(6,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'export','{"prompt":false,"revision":1,"target":"file"}',0,'2026-11-21T03:19:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:15.000000Z',NULL,1);
INSERT INTO "letters" VALUES(7,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'announce','{"prompt":false,"revision":1}',1,'2026-11-21T03:19:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:17.000000Z','T0SCRIBE/INC-1/draft',1);
INSERT INTO "letters" VALUES(8,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'export','{"prompt":false,"revision":1,"target":"slack_file"}',0,'2026-11-21T03:19:15.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:19:18.000000Z','T0SCRIBE/INC-1/draft/slack_file',1);
INSERT INTO "letters" VALUES(9,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'export','{"prompt":false,"revision":2,"target":"file"}',0,'2026-11-21T03:30:18.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:30:18.000000Z',NULL,1);
INSERT INTO "letters" VALUES(10,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'announce','{"prompt":false,"revision":2}',1,'2026-11-21T03:30:18.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:30:19.000000Z','T0SCRIBE/INC-1/draft',1);
INSERT INTO "letters" VALUES(11,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'discard','{"file":"F3PYB4XLN5C"}',0,'2026-11-21T03:30:18.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:30:19.000000Z',NULL,1);
INSERT INTO "letters" VALUES(12,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'export','{"prompt":false,"revision":2,"target":"slack_file"}',0,'2026-11-21T03:30:18.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:30:20.000000Z','T0SCRIBE/INC-1/draft/slack_file',1);
INSERT INTO "letters" VALUES(13,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'discard','{"file":"FL956M458MS"}',0,'2026-11-21T03:30:18.000000Z',1,'sent',NULL,NULL,'','2026-11-21T03:30:20.000000Z',NULL,1);
INSERT INTO "letters" VALUES(14,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'export','{"prompt":false,"revision":3,"target":"file"}',0,'2026-11-21T04:00:20.000000Z',0,'waiting',NULL,NULL,'',NULL,NULL,0);
INSERT INTO "letters" VALUES(15,'T0SCRIBE','T0SCRIBE/INC-1/draft',1,'announce','{"prompt":false,"revision":3}',1,'2026-11-21T04:00:20.000000Z',0,'waiting',NULL,NULL,'',NULL,'T0SCRIBE/INC-1/draft',0);
INSERT INTO "letters" VALUES(16,'T0SCRIBE','T0SCRIBE/C002SECURI',2,'arrive','{"channel":"C002SECURI"}',0,'2026-11-21T03:52:20.000000Z',1,'parked',NULL,NULL,'Scribe cannot see the channel: it is private, or gone. Type /invite @Scribe in the channel.','2026-11-21T03:52:20.000000Z',NULL,1);
INSERT INTO "letters" VALUES(17,'T0SCRIBE','T0SCRIBE/INC-2/draft',2,'export','{"prompt":false,"revision":1,"target":"file"}',0,'2026-11-21T03:54:35.000000Z',1,'leased','2026-11-21T03:56:40.000000Z','c106508a5c090534','',NULL,NULL,1);
INSERT INTO "letters" VALUES(18,'T0SCRIBE','T0SCRIBE/INC-2/draft',2,'announce','{"prompt":false,"revision":1}',1,'2026-11-21T03:54:35.000000Z',0,'waiting',NULL,NULL,'',NULL,'T0SCRIBE/INC-2/draft',0);
INSERT INTO "letters" VALUES(19,'T0SCRIBE','T0SCRIBE/C002SECURI',1,'share','{"channel":"C002SECURI"}',0,'2026-11-21T03:55:20.000000Z',1,'leased','2026-11-21T03:56:40.000000Z','721fbef64741a7cc','',NULL,NULL,1);
CREATE TABLE names (                    -- what people were called, and since when: '' is from the beginning
  person TEXT NOT NULL REFERENCES people (key),
  since TEXT NOT NULL,
  team TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (person, since)
) STRICT;
INSERT INTO "names" VALUES('pac4c09c28206e7e3','','T0SCRIBE','Ada');
INSERT INTO "names" VALUES('p09e7a54d87bdc1f7','','T0SCRIBE','Ben');
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
INSERT INTO "offers" VALUES('f48dc7198711925a','T0SCRIBE','C001PAYMEN',1,'','','2026-11-21T03:16:00.000000Z','[{"confirmed":false,"instead":"","label":"It is a guess","line":"edit INC-1: 8 as hypothesis","typed":"","undoes":0}]','{}',NULL);
INSERT INTO "offers" VALUES('c39faf42028ef10f','T0SCRIBE','C001PAYMEN',1,'pac4c09c28206e7e3','','2026-11-21T03:19:00.000000Z','[{"confirmed":false,"instead":"","label":"Undo","line":"","typed":"","undoes":13}]','{}',NULL);
INSERT INTO "offers" VALUES('7f1e5b7e7af4fbd3','T0SCRIBE','C001PAYMEN',1,'p09e7a54d87bdc1f7','','2026-11-21T03:20:18.000000Z','[{"confirmed":false,"instead":"","label":"Make it a note","line":"note well everybody was there within minutes","typed":"","undoes":14}]','{}',NULL);
INSERT INTO "offers" VALUES('d2b7b0f733837a24','T0SCRIBE','C001PAYMEN',1,'p09e7a54d87bdc1f7','','2026-11-21T03:50:20.000000Z','[{"confirmed":false,"instead":"","label":"Make it a note","line":"note well and the runbook helped","typed":"","undoes":15}]','{}',NULL);
INSERT INTO "offers" VALUES('7d2b9dcdc163018b','T0SCRIBE','C001PAYMEN',1,'pac4c09c28206e7e3','rolled back deploy 4711','2026-11-21T03:51:20.000000Z','[{"confirmed":false,"instead":"","label":"Action","line":"action rolled back deploy 4711","typed":"","undoes":0},{"confirmed":false,"instead":"","label":"Note","line":"note rolled back deploy 4711","typed":"","undoes":0},{"confirmed":false,"instead":"","label":"Ruled out","line":"ruledout rolled back deploy 4711","typed":"","undoes":0}]','{}',NULL);
INSERT INTO "offers" VALUES('7d35e1b44998f31f','T0SCRIBE','C002SECURI',2,'p09e7a54d87bdc1f7','','2026-11-21T03:54:20.000000Z','[{"confirmed":false,"instead":"","label":"Undo","line":"","typed":"","undoes":3}]','{}',NULL);
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
INSERT INTO "receipts" VALUES(1,'post','T0SCRIBE',2,'{"channel":"C001PAYMEN","picture":"F6WFMSQW9U9","pictured":2,"texts":["1795231157.000100"],"told":14,"ts":"1795231155.000100"}');
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
INSERT INTO "requests" VALUES('T0SCRIBE','1795231218.000015.4193caaaf1f563203b20a294c25cf17d','2026-11-21T03:20:18.000000Z','{"by":"p09e7a54d87bdc1f7","incident":1,"kind":"recorded","offer":"7f1e5b7e7af4fbd3","seqs":[14]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233020.000016.0c7e909604f4bd07493e7a652e68084a','2026-11-21T03:50:20.000000Z','{"by":"p09e7a54d87bdc1f7","incident":1,"kind":"recorded","offer":"d2b7b0f733837a24","seqs":[15]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233080.000017.b08b6f685d8df0eec499c2e187387f7f','2026-11-21T03:51:20.000000Z','{"hint":"Or did you mean “role”? Then type /incident role …","kind":"asked","message":"“rolled” is no verb. Nothing is recorded yet.","offer":"7d2b9dcdc163018b"}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233140.000018.4bac2351ecb050016b9ab878023e4523','2026-11-21T03:52:20.000000Z','{"by":"pac4c09c28206e7e3","incident":2,"kind":"recorded","offer":"","seqs":[1]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233200.000019.3a317c18163a4c6b39ded12b2d047304','2026-11-21T03:53:20.000000Z','{"by":"p09e7a54d87bdc1f7","incident":2,"kind":"recorded","offer":"","seqs":[2]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233260.000020.3992f2c9be9850f0de776115e495e6b5','2026-11-21T03:54:20.000000Z','{"by":"p09e7a54d87bdc1f7","incident":2,"kind":"recorded","offer":"7d35e1b44998f31f","seqs":[3]}');
INSERT INTO "requests" VALUES('T0SCRIBE','1795233320.000021.c14a03d63c4e6f255a74e41e34f8955e','2026-11-21T03:55:20.000000Z','{"by":"pac4c09c28206e7e3","incident":1,"kind":"recorded","offer":"","seqs":[16]}');
CREATE TABLE revisions (                -- numbered states of an incident's document
  incident INTEGER NOT NULL REFERENCES incidents (key),
  revision INTEGER NOT NULL,
  team TEXT NOT NULL,
  upto INTEGER NOT NULL,                -- the event that it reaches to
  pinned INTEGER NOT NULL DEFAULT 0, names TEXT,    -- 1 once something of it has left: upto then never moves
  PRIMARY KEY (incident, revision)
) STRICT;
INSERT INTO "revisions" VALUES(1,1,'T0SCRIBE',13,1,'{"p09e7a54d87bdc1f7":"Ben","pac4c09c28206e7e3":"Ada"}');
INSERT INTO "revisions" VALUES(1,2,'T0SCRIBE',14,1,'{"p09e7a54d87bdc1f7":"Ben","pac4c09c28206e7e3":"Ada"}');
INSERT INTO "revisions" VALUES(1,3,'T0SCRIBE',15,0,NULL);
INSERT INTO "revisions" VALUES(2,1,'T0SCRIBE',3,0,NULL);
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
INSERT INTO "words" VALUES(1,14,'T0SCRIBE',11,'81160cabe56b11a045e54a009d49a59c','{"text":"everybody was there within minutes"}');
INSERT INTO "words" VALUES(1,15,'T0SCRIBE',12,'4f6248912e96c138f7ee153d6c05a8cd','{"text":"and the runbook helped"}');
INSERT INTO "words" VALUES(2,1,'T0SCRIBE',1,'4422ae72c3ed5917d11898149ec443fe','{"text":"Somebody reads our mail"}');
INSERT INTO "words" VALUES(2,2,'T0SCRIBE',2,'d66508828e117bff8b32ceee02e6417d','{"text":"the log shows a login from elsewhere"}');
INSERT INTO "words" VALUES(2,3,'T0SCRIBE',3,'1137eb1beb9d2b4db7d91f8d03eb844a','{"text":"The account is closed"}');
INSERT INTO "words" VALUES(1,16,'T0SCRIBE',NULL,'6a16258c3a232f556ee680d0fb8e18ec','{}');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX incidents_by_channel ON incidents (team, channel, number);
CREATE INDEX requests_by_age ON requests (heard_at);
CREATE INDEX offers_by_age ON offers (said_at);
CREATE INDEX letters_to_send ON letters (due_at, key) WHERE state IN ('waiting', 'leased');
CREATE INDEX letters_by_lane ON letters (lane, key) WHERE state IN ('waiting', 'leased');
CREATE INDEX letters_by_incident ON letters (incident, kind);
CREATE INDEX letters_by_about ON letters (about) WHERE state = 'waiting' AND about IS NOT NULL;
CREATE INDEX letters_by_age ON letters (settled_at) WHERE settled_at IS NOT NULL;
COMMIT;
