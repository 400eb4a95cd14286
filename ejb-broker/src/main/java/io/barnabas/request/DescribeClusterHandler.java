package io.barnabas.request;

import io.barnabas.port.Responder;
import org.apache.kafka.clients.admin.EndpointType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBroker;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** Tells of the brokers (KIP-700); the controllers have no endpoints of their own (KIP-919 asks for them). Answered from the image. */
public final class DescribeClusterHandler implements ApiHandler<DescribeClusterRequestData> {
    private final ControlPlane plane;

    public DescribeClusterHandler(ControlPlane plane) {
        this.plane = plane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_CLUSTER;
    }

    @Override
    public void handle(DescribeClusterRequestData request, RequestContext context, Responder responder) {
        EndpointType asked = EndpointType.fromId(request.endpointType());
        if (asked == EndpointType.UNKNOWN) {
            responder.respond(refused(
                    context.version() == 0 ? Errors.INVALID_REQUEST : Errors.UNSUPPORTED_ENDPOINT_TYPE,
                    "Unsupported endpoint type " + request.endpointType()));
            return;
        }
        if (asked != EndpointType.BROKER) {
            responder.respond(refused(
                    context.version() == 0 ? Errors.INVALID_REQUEST : Errors.MISMATCHED_ENDPOINT_TYPE,
                    "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type " + asked));
            return;
        }
        ClusterView view = new ClusterView(plane, plane.metadata().image(), context.listenerName());
        DescribeClusterResponseData response = new DescribeClusterResponseData()
                .setClusterId(view.image().clusterId())
                .setControllerId(view.controllerId())
                .setEndpointType(EndpointType.BROKER.id());
        if (request.includeClusterAuthorizedOperations()) {
            response.setClusterAuthorizedOperations(AuthorizedOperations.CLUSTER);
        }
        for (Node node : view.nodes()) {
            if (!node.isFenced() || request.includeFencedBrokers()) {
                response.brokers()
                        .add(new DescribeClusterBroker()
                                .setBrokerId(node.id())
                                .setHost(node.host())
                                .setPort(node.port())
                                .setRack(node.rack())
                                .setIsFenced(node.isFenced()));
            }
        }
        responder.respond(response);
    }

    private static DescribeClusterResponseData refused(Errors error, String message) {
        return new DescribeClusterResponseData().setErrorCode(error.code()).setErrorMessage(message);
    }
}
