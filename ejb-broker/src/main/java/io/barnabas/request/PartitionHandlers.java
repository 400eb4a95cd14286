package io.barnabas.request;

import io.barnabas.metadata.Controller.Decision;
import io.barnabas.metadata.LeaderElection;
import io.barnabas.metadata.ReassignmentControl;
import io.barnabas.port.Responder;
import java.util.List;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.protocol.ApiKeys;

/** The handlers that elect leaders and move partitions: each is one command to the controller. */
final class PartitionHandlers {
    private PartitionHandlers() {}

    static List<ApiHandler<?>> of(ControlPlane plane) {
        return List.of(new ElectLeaders(plane), new AlterReassignments(plane), new ListReassignments(plane));
    }

    private record ElectLeaders(ControlPlane plane) implements ApiHandler<ElectLeadersRequestData> {
        @Override
        public ApiKeys api() {
            return ApiKeys.ELECT_LEADERS;
        }

        @Override
        public void handle(ElectLeadersRequestData request, RequestContext context, Responder responder) {
            plane.submit(
                    image -> LeaderElection.decide(plane.rules().partitions(), image, request),
                    context,
                    responder,
                    answer -> answer,
                    request.timeoutMs());
        }
    }

    private record AlterReassignments(ControlPlane plane)
            implements ApiHandler<AlterPartitionReassignmentsRequestData> {
        @Override
        public ApiKeys api() {
            return ApiKeys.ALTER_PARTITION_REASSIGNMENTS;
        }

        @Override
        public void handle(
                AlterPartitionReassignmentsRequestData request, RequestContext context, Responder responder) {
            plane.submit(
                    image -> plane.rules().reassignments().alter(image, request),
                    context,
                    responder,
                    answer -> answer,
                    request.timeoutMs());
        }
    }

    private record ListReassignments(ControlPlane plane) implements ApiHandler<ListPartitionReassignmentsRequestData> {
        @Override
        public ApiKeys api() {
            return ApiKeys.LIST_PARTITION_REASSIGNMENTS;
        }

        @Override
        public void handle(ListPartitionReassignmentsRequestData request, RequestContext context, Responder responder) {
            plane.submit(
                    image -> Decision.unchanged(ReassignmentControl.list(image, request)),
                    context,
                    responder,
                    answer -> answer,
                    request.timeoutMs());
        }
    }
}
