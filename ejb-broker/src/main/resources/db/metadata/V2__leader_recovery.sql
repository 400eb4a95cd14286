-- Partitions whose leader was elected though it may lack records (KIP-704).

ALTER TABLE topic_partition ADD COLUMN recovering BOOLEAN DEFAULT FALSE NOT NULL;
