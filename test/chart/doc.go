// Package chart tests deploy/helm/tvmexport: it renders the chart by Helm's own engine, validates the
// objects with kubeconform, and holds their contract. It is a module of its own, so that the
// program does not depend on Helm.
package chart
