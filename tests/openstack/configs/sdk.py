"""What openstacksdk makes of the settings around it: run by the lab's interpreter, prints one line of JSON.

    sdk.py CLOUD REGION SERVICE...        (empty for none)
"""
import json
import sys
import warnings

warnings.simplefilter('ignore')


def view(cloud, region, services):
    from openstack.config import loader
    chosen = {key: value for key, value in (('cloud', cloud), ('region_name', region)) if value}
    found = loader.OpenStackConfig().get_one(**chosen)
    verify, cert = found.get_requests_verify_args()
    told = {'region': found.get_region_name(), 'verify': verify, 'cert': cert}
    auth = found.get_auth()
    session = found.get_session()
    access = None
    if hasattr(auth, 'get_access'):
        access = auth.get_access(session)
    told['endpoints'] = {}
    for service in services:
        endpoint = found.get_endpoint(service)
        if not endpoint and access:
            endpoint = access.service_catalog.url_for(
                service_type=service, interface=found.get_interface(service),
                region_name=found.get_region_name(service))
        elif not endpoint:
            endpoint = auth.get_endpoint(session)
        told['endpoints'][service] = endpoint and endpoint.rstrip('/')
    return told


def main(cloud, region, *services):
    try:
        told = view(cloud, region, services)
    except Exception as error:  # whatever it is, it is its answer
        told = {'error': '%s: %s' % (type(error).__name__, str(error).split('\n')[0])}
    print(json.dumps(told))


main(*sys.argv[1:])
