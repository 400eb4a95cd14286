package io.barnabas;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.List;

/** Holds the house: which package may import which. docs/architecture.md has the same table in words. */
@AnalyzeClasses(
        packages = "io.barnabas",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.NoTestArchives.class})
class ArchitectureTest {
    /** Test classes of the other module come as an archive when the whole build runs. */
    static final class NoTestArchives implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    @ArchTest
    static final ArchRule packages_have_no_cycles =
            slices().matching("io.barnabas.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule time_imports_nothing_of_ours = mayImportOf("time");

    @ArchTest
    static final ArchRule log_imports_time_only = mayImportOf("log", "time");

    @ArchTest
    static final ArchRule wire_imports_log_slices_and_time_only = mayImportOf("wire", "log", "time");

    @ArchTest
    static final ArchRule port_is_the_seam = mayImportOf("port", "wire", "log", "time");

    @ArchTest
    static final ArchRule net_imports_wire_port_and_time = mayImportOf("net", "wire", "port", "time");

    @ArchTest
    static final ArchRule metadata_imports_time_and_config = mayImportOf("metadata", "time", "config");

    @ArchTest
    static final ArchRule config_imports_what_it_describes = mayImportOf("config", "log", "time", "port");

    @ArchTest
    static final ArchRule partition_imports_log_and_metadata =
            mayImportOf("partition", "log", "metadata", "time", "config", "coordinator");

    @ArchTest
    static final ArchRule replication_imports_what_it_copies_into_and_asks =
            mayImportOf("replication", "partition", "metadata", "log", "port", "wire", "time", "config", "peer");

    @ArchTest
    static final ArchRule coordinator_writes_through_its_own_writer =
            mayImportOf("coordinator", "metadata", "time", "config");

    @ArchTest
    static final ArchRule peer_asks_for_the_cores =
            mayImportOf("peer", "metadata", "coordinator", "port", "wire", "time", "config");

    @ArchTest
    static final ArchRule grid_gives_hints_to_the_metadata = mayImportOf("grid", "metadata", "time", "config");

    @ArchTest
    static final ArchRule ra_imports_the_adapters_rooms = mayImportOf("ra", "port", "net", "log", "time");

    @ArchTest
    static final ArchRule request_imports_the_cores =
            mayImportOf("request", "port", "wire", "log", "time", "config", "partition", "coordinator", "metadata");

    @ArchTest
    static final ArchRule admin_imports_nothing_of_ours = mayImportOf("admin");

    @ArchTest
    static final ArchRule nothing_imports_ejb = noClasses()
            .that()
            .resideOutsideOfPackage("io.barnabas.ejb..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.barnabas.ejb..");

    @ArchTest
    static final ArchRule only_the_log_and_the_encoder_hold_a_channel = noClasses()
            .that()
            .resideOutsideOfPackages("io.barnabas.log..", "io.barnabas.wire..")
            .should()
            .dependOnClassesThat()
            .areAssignableTo(FileChannel.class);

    @ArchTest
    static final ArchRule only_metadata_jpa_uses_jpa = noClasses()
            .that()
            .resideOutsideOfPackage("io.barnabas.metadata.jpa..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("jakarta.persistence..", "org.flywaydb..", "org.h2..");

    @ArchTest
    static final ArchRule only_the_journal_uses_ratis = noClasses()
            .that()
            .resideOutsideOfPackage("io.barnabas.metadata..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.apache.ratis..");

    @ArchTest
    static final ArchRule only_its_adapter_uses_hazelcast = noClasses()
            .that()
            .resideOutsideOfPackage("io.barnabas.ejb..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("com.hazelcast..");

    /** Membership grants nothing: no lock, no counter, no consensus of the grid's, nor anything that is kept in it. */
    @ArchTest
    static final ArchRule of_hazelcast_only_the_members_are_used = noClasses()
            .should()
            .dependOnClassesThat(new DescribedPredicate<JavaClass>("are Hazelcast's, but for its members and itself") {
                @Override
                public boolean test(JavaClass c) {
                    String p = c.getPackageName();
                    return p.startsWith("com.hazelcast.")
                            && !p.equals("com.hazelcast.cluster")
                            && !p.equals("com.hazelcast.core");
                }
            });

    @ArchTest
    static final ArchRule no_cp_object =
            noClasses().should().callMethod("com.hazelcast.core.HazelcastInstance", "getCPSubsystem");

    @ArchTest
    static final ArchRule only_generated_schemas_of_kafkas_server_jars_are_used = noClasses()
            .should()
            .dependOnClassesThat(
                    new DescribedPredicate<JavaClass>("live in Kafka's server jars, outside the generated schemas") {
                        @Override
                        public boolean test(JavaClass c) {
                            String p = c.getPackageName();
                            return (p.startsWith("org.apache.kafka.coordinator") && !p.endsWith(".generated"))
                                    || p.startsWith("org.apache.kafka.metadata")
                                    || p.startsWith("org.apache.kafka.controller")
                                    || p.startsWith("org.apache.kafka.image")
                                    || (p.startsWith("org.apache.kafka.server.")
                                            && !p.equals("org.apache.kafka.server.policy"))
                                    || p.startsWith("org.apache.kafka.storage");
                        }
                    });

    private static ArchRule mayImportOf(String room, String... others) {
        List<String> allowed = Arrays.asList(others);
        return noClasses()
                .that()
                .resideInAPackage("io.barnabas." + room + "..")
                .should()
                .dependOnClassesThat(
                        new DescribedPredicate<JavaClass>("are ours, outside " + room + " and " + allowed) {
                            @Override
                            public boolean test(JavaClass c) {
                                String p = c.getPackageName();
                                if (!p.startsWith("io.barnabas.")) {
                                    return false;
                                }
                                String first =
                                        p.substring("io.barnabas.".length()).split("\\.", 2)[0];
                                return !first.equals(room) && !allowed.contains(first);
                            }
                        })
                .allowEmptyShould(true);
    }
}
