-- What the metadata journal has said so far. Rows change only by replaying committed records.

CREATE TABLE journal_position (
    id                INTEGER     NOT NULL PRIMARY KEY,
    cluster_id        VARCHAR(64) NOT NULL,
    last_applied      BIGINT      NOT NULL,
    next_producer_id  BIGINT      NOT NULL
);

CREATE TABLE topic (
    topic_id    VARCHAR(22)  NOT NULL PRIMARY KEY,
    name        VARCHAR(249) NOT NULL UNIQUE,
    partitions  INTEGER      NOT NULL
);

CREATE TABLE topic_partition (
    topic_id            VARCHAR(22)   NOT NULL,
    partition_index     INTEGER       NOT NULL,
    leader              INTEGER       NOT NULL,
    leader_epoch        INTEGER       NOT NULL,
    partition_epoch     INTEGER       NOT NULL,
    replicas            VARCHAR       NOT NULL,
    isr                 VARCHAR       NOT NULL,
    elr                 VARCHAR       NOT NULL,
    last_known_elr      VARCHAR       NOT NULL,
    adding_replicas     VARCHAR       NOT NULL,
    removing_replicas   VARCHAR       NOT NULL,
    directories         VARCHAR       NOT NULL,
    PRIMARY KEY (topic_id, partition_index)
);

CREATE TABLE configuration (
    resource_type  SMALLINT     NOT NULL,
    resource_name  VARCHAR      NOT NULL,
    config_key     VARCHAR      NOT NULL,
    config_value   VARCHAR      NOT NULL,
    PRIMARY KEY (resource_type, resource_name, config_key)
);

CREATE TABLE feature (
    name   VARCHAR   NOT NULL PRIMARY KEY,
    level  SMALLINT  NOT NULL
);

CREATE TABLE broker (
    broker_id               INTEGER     NOT NULL PRIMARY KEY,
    epoch                   BIGINT      NOT NULL,
    incarnation_id          VARCHAR(22) NOT NULL,
    endpoints               VARCHAR     NOT NULL,
    rack                    VARCHAR,
    fenced                  BOOLEAN     NOT NULL,
    in_controlled_shutdown  BOOLEAN     NOT NULL,
    log_dirs                VARCHAR     NOT NULL,
    features                VARCHAR     NOT NULL
);
