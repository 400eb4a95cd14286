#!/usr/bin/env bash
# Runs a program of io.barnabas.system.cluster on Apache Kafka and on Barnabas, three nodes each, one product after the other.
#   beside-kafka.sh PROGRAM [argument …]    the program is given the product's name before its arguments
# MetadataTimes PARTITIONS: how soon changes of metadata are seen, and what many partitions cost. faults.sh: what becomes of records.
# PRODUCTS ("kafka barnabas") what to run; JAVA_OPTS for the program, as -Dcluster.settings=KEY=VALUE;…
set -euo pipefail
KAFKA_VERSION=${KAFKA_VERSION:-4.4.0}
# 4.4.0's tools-api is not published; 4.3.1's drives it.
TOOLS_VERSION=${TOOLS_VERSION:-4.3.1}
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
classes=$top/system-tests/target/test-classes
kafka=$top/system-tests/target/kafka-$KAFKA_VERSION
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

# The programs need what tests are written with, too (Mix).
if ! compgen -G "$kafka/libs/assertj-core-*.jar" >/dev/null; then
  mkdir -p "$kafka"
  cat >"$kafka/pom.xml" <<P
<project><modelVersion>4.0.0</modelVersion><groupId>faults</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA_VERSION</version>
<exclusions><exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion></exclusions></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId><version>$TOOLS_VERSION</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
<dependency><groupId>org.assertj</groupId><artifactId>assertj-core</artifactId><version>3.27.7</version></dependency>
<dependency><groupId>org.awaitility</groupId><artifactId>awaitility</artifactId><version>4.3.0</version></dependency>
</dependencies></project>
P
  (cd "$kafka" && mvn -ntp -B -q dependency:copy-dependencies -DoutputDirectory="$kafka/libs" -DincludeScope=runtime) ||
    { rm -rf "$kafka"; exit 1; }
fi
if [ ! -d "$classes/io/barnabas/system/cluster" ]; then
  (cd "$top" && mvn -ntp -B -q -Dquick -DskipTests -pl system-tests -am package)
fi
"$top/barnabas" prepare >&2
program=$1
shift
status=0
for product in ${PRODUCTS:-kafka barnabas}; do
  [ "$product" = kafka ] && product=kafka:$kafka/libs
  # shellcheck disable=SC2086
  "$java" -Xmx400m ${JAVA_OPTS:-} -Dbarnabas.jar="$top/server-config/target/barnabas.jar" -Dlog4j2.level=ERROR \
    -cp "$classes:$kafka/libs/*" "io.barnabas.system.cluster.$program" "$product" "$@" || status=$?
done
exit "$status"
