-- Data directories that take no new replicas (KIP-1066).

ALTER TABLE broker ADD COLUMN cordoned_dirs VARCHAR DEFAULT '' NOT NULL;
