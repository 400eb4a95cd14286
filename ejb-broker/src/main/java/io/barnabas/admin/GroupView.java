package io.barnabas.admin;

/**
 * A group as a row of a list.
 *
 * @param lag records between the committed offsets and the high watermarks, all partitions together; -1 if nothing is committed
 */
public record GroupView(String id, String type, String state, String protocol, int members, int topics, long lag) {}
